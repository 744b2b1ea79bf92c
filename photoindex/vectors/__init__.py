"""Nearest neighbours among vectors: exactly, and at a million quickly."""
