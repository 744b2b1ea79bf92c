"""Checks a library against itself and its originals."""
