"""Models: what is installed, where it came from, and what runs it."""
