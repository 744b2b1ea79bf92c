"""Resolving facts, pairs, places and times after a change."""
