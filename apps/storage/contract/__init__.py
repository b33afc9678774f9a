"""The parts of the store contract, by what they are about; `apps.storage.store` puts them together."""
