"""Vectors of photos: the embed operation and the choice of its model."""
