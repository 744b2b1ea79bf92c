"""Operations on groups of faces: grouping them, calibrating, and saying how good they are."""
