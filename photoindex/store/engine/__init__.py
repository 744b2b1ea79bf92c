"""What depends on the database engine: connections, errors, SQL dialect, full-text search."""
