"""Models that describe pictures in words, run by transformers."""
