"""Search: the query fields, and compiling queries to SQL."""
