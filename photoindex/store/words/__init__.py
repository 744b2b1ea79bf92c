"""Rows of words: tags, albums, texts that models wrote or read, and the full-text documents made of them."""
