"""Renders output: tables, JSON lines, paths, details, progress."""
