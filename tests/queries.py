"""Parses queries without a library, at a fixed time and with two known places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from photoindex.query import parser
from photoindex.query.arguments import join_arguments
from photoindex.query.syntax import Lookups, Node
from photoindex.store.search.fields import grammar

NOW = "2024-03-31T12:30:00"
PLACES = {
    "Lisbon": (38.72509, -9.1498, "Lisbon, Portugal"),
    "Paris, Texas": (33.66094, -95.55551, "Paris, Texas, United States"),
}


def lookups(saved: Mapping[str, str] | None = None) -> Lookups:
    """Return lookups with these saved queries."""

    def place(name: str) -> tuple[float, float, str]:
        if name not in PLACES:
            raise ValueError(f"no place is called '{name}'")
        return PLACES[name]

    return Lookups(now=NOW, saved=lambda: saved or {}, place=place)


def parse(text: str, saved: Mapping[str, str] | None = None) -> Node:
    """Return the tree of a query."""
    return parser.parse(text, grammar(), lookups(saved))


def parse_arguments(arguments: Sequence[str], saved: Mapping[str, str] | None = None) -> Node:
    """Return the tree of a query given as words of a command line."""
    return parse(join_arguments(arguments, grammar()), saved)
