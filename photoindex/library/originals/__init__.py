"""Roots, volumes and the paths of originals."""
