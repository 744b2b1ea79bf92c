"""Rules about people: names, boxes, ages, groups of faces."""
