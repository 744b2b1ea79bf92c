"""Staging tables of a scan, and forgetting missing files."""
