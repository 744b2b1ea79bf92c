"""Embedding spaces: list, use, drop, calibrate; encoding of queries."""
