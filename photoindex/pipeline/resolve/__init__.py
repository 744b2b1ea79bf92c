"""Resolves facts, pairs, places and times after a change."""
