"""Snapshots: make, list, verify, restore."""
