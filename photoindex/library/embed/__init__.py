"""Embeds photos: the operation and the choice of its model."""
