"""Rows of people: regions, individuals, assignments, decisions."""
