"""Searches photos by fields, words and meaning."""
