"""Query fields and the compiled search."""
