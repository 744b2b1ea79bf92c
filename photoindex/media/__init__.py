"""Media files: identifying the format, reading metadata, decoding pixels."""
