"""Embedding models: the catalogue, installed models, and the encoders that run them."""
