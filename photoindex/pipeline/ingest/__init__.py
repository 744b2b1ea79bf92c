"""Reads originals in worker processes and records the results."""
