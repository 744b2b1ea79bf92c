"""The terminal: capabilities, pictures, confirmation, signals."""
