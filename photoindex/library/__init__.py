"""What a user can do with a library: one module an operation."""
