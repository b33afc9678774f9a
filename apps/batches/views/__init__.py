"""Pages of a batch: begun, planned, watched, and proved."""
