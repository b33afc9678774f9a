"""What a person says about a batch: which objects, what is to happen to them, and that it is meant."""
