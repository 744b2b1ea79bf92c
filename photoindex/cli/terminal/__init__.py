"""The terminal itself: capabilities, pictures, confirmation, signals."""
