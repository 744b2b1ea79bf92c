"""Decoding files to pixels and making previews from them."""
