"""Choosing the best source for each fact of a photo."""
