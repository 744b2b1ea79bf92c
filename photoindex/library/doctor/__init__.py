"""Examines the computer and the library: what is wrong, and what to do about it."""
