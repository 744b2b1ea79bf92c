"""Search: one operation for fields, words and meaning."""
