"""Finds and compares candidate pairs of duplicates."""
