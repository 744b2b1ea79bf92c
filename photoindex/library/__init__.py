"""The operations on a library, one module per operation."""
