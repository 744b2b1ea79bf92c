"""Embedding previews in a model process."""
