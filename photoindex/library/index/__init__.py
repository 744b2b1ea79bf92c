"""The vector index: status, rebuild, optimize."""
