"""What a person decides about people and their faces, with its rules."""
