"""Candidates and comparison of duplicates over the whole library."""
