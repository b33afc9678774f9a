"""What the official SDKs and our client send for the same operation, and how to compare it."""
