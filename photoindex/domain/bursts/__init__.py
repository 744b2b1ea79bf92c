"""What a burst is, how good its frames are, and which of them to keep."""
