"""Embedding spaces: list, use, drop, calibration."""
