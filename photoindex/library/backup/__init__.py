"""Snapshots of a library: create, list, verify, restore."""
