"""Models of a library: list, install, verify, remove, bundle."""
