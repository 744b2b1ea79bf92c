"""Exports search results as a gallery page or contact sheets."""
