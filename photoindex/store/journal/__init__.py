"""The journal of changes made by a person, and undo."""
