"""Finding, ranking and planning duplicates."""
