"""Walks the roots and compares what it finds with the library."""
