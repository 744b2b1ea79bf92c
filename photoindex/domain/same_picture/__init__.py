"""Deciding whether two files show the same picture, by aligning small versions and comparing them locally."""
