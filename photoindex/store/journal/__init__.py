"""The journal of a person's changes, and undo."""
