"""Models of this library: list, install, verify, remove."""
