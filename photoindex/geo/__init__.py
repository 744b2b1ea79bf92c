"""Names of places and time zones, offline."""
