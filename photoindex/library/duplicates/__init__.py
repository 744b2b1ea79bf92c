"""Finds duplicates, chooses which to keep, and writes a removal plan."""
