"""Looks up the people that a query names."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from heapq import nlargest
from itertools import pairwise

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import PERSON
from photoindex.library.handle import Library
from photoindex.query.people import is_pattern, number_of
from photoindex.query.syntax import KnownPerson
from photoindex.query.values import glob_pattern
from photoindex.store.people import individuals
from photoindex.store.people.individuals import IndividualRow

_CLOSEST = 3
_COMPARED = 200
"""Spellings that are compared letter by letter, which takes seconds for thousands: those with the most pairs of letters in common."""


def people_called(library: Library, written: str) -> list[KnownPerson]:
    """Return the people with a name, or a name that matches a pattern with `*`, or the one with a number.

    Raises ValueError with a message for the user, which has the nearest names, if there is none.
    """
    number = number_of(written)
    with library.database.read() as connection:
        if number is not None:
            found = individuals.by_id(connection, number)
            if found is None or found.kind != PERSON:
                raise ValueError(f"there is no person {number}; see: photoindex people list --all")
            return [_known(found)]
        if not is_pattern(written):
            found = individuals.by_name(connection, written.strip())
            if found is not None:
                return [_known(found)]
        named = individuals.named(connection)
    if is_pattern(written):
        pattern = glob_pattern(written.strip())
        matching = [_known(one) for one in named if fnmatchcase(name_key(one.name or ""), pattern)]
        if matching:
            return matching
        raise ValueError(f"nobody has a name like '{written}'; {_hint([])}")
    raise ValueError(f"there is no person '{written}'; {_hint(nearest_names(written, named))}")


def nearest_names(written: str, named: Sequence[IndividualRow]) -> list[str]:
    """Return the names that are spelled most like a text, or of which one word is."""
    spellings: dict[str, str] = {}
    for one in named:
        name = one.name or ""
        spellings.setdefault(name_key(name), name)
    for one in named:
        name = one.name or ""
        for word in name_key(name).split():
            spellings.setdefault(word, name)
    wanted = name_key(written.strip())
    pairs = set(pairwise(wanted))
    likely = nlargest(_COMPARED, spellings, key=lambda one: len(pairs.intersection(pairwise(one))))
    near = get_close_matches(wanted, likely, n=_CLOSEST)
    return list(dict.fromkeys(spellings[each] for each in near))


def _hint(near: Sequence[str]) -> str:
    return f"did you mean {' or '.join(near)}?" if near else "see: photoindex people list"


def _known(row: IndividualRow) -> KnownPerson:
    return KnownPerson(row.id, row.name, row.born)
