"""The vector index of each space: status, rebuild, optimize."""
