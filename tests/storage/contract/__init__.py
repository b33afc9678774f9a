"""What every provider must do, by topic. `tests/storage/test_store_contract.py` runs all of it."""
