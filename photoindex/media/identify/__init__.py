"""Identifying file formats by their content."""
