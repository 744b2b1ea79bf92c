"""photoindex: a local-first photo library indexer for the shell."""

__version__ = "0.1.0"
