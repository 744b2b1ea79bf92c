"""Parses queries without a library, at a fixed time and with a few known places and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from photoindex.domain.people.names import name_key
from photoindex.query import parser
from photoindex.query.arguments import join_arguments
from photoindex.query.syntax import KnownPerson, Lookups, Node
from photoindex.store.search.fields import grammar

NOW = "2024-03-31T12:30:00"
PLACES = {
    "Lisbon": (38.72509, -9.1498, "Lisbon, Portugal"),
    "Paris, Texas": (33.66094, -95.55551, "Paris, Texas, United States"),
}

PEOPLE = (
    KnownPerson(1, "Anna", "2012-02-29"),
    KnownPerson(2, "Ben Berg", "1970"),
    KnownPerson(3, "Cleo"),
    KnownPerson(4),
)
"""Known people: with a birth date, with its year alone, without one, without a name."""


def lookups(saved: Mapping[str, str] | None = None) -> Lookups:
    """Return lookups with these saved queries."""

    def place(name: str) -> tuple[float, float, str]:
        if name not in PLACES:
            raise ValueError(f"no place is called '{name}'")
        return PLACES[name]

    return Lookups(now=NOW, saved=lambda: saved or {}, place=place, people=people, face=face)


def people(written: str) -> list[KnownPerson]:
    """Return the people of PEOPLE whom a query names."""
    pattern = name_key(written.strip())
    found = [one for one in PEOPLE if one.name is not None and fnmatchcase(name_key(one.name), pattern)]
    found = found or [one for one in PEOPLE if str(one.id) == pattern]
    if not found:
        raise ValueError(f"there is no person '{written}'")
    return found


def face(written: str) -> KnownPerson:
    """Return the first of PEOPLE for one file, and refuse every other."""
    if written != "me.jpg":
        raise ValueError(f"{written}: there is no such file")
    return PEOPLE[0]


def parse(text: str, saved: Mapping[str, str] | None = None) -> Node:
    """Return the tree of a query."""
    return parser.parse(text, grammar(), lookups(saved))


def parse_arguments(arguments: Sequence[str], saved: Mapping[str, str] | None = None) -> Node:
    """Return the tree of a query given as words of a command line."""
    return parse(join_arguments(arguments, grammar()), saved)
