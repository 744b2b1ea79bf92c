"""Lists bursts with a proposal of their best frames, and takes a person's choice."""
