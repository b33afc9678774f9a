"""The operations of the protocol, one function each."""
