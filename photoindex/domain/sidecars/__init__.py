"""Matching sidecars to photos by file name."""
