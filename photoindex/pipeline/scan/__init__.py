"""The walk over roots and what it found changed."""
