"""Nearest-neighbour search over embedding vectors, exact and approximate."""
