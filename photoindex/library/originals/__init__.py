"""Roots and the paths of originals."""
