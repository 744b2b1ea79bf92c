"""Staging tables of a scan."""
