"""Vectors and embedding spaces."""
