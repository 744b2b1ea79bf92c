"""Bytes and pixels: what a file is, its facts, its pixels."""
