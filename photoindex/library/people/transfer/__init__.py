"""Takes what was decided about people from one library to another."""
