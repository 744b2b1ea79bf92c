"""Rendering of answers: tables, JSON lines, paths, details, progress."""
