"""The values of fields, and names of saved queries, that begin with what somebody typed; light on imports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from photoindex.query.printer import quoted
from photoindex.query.vocabulary import CHOICES, FACTS, SOURCES, TAG_SOURCES
from photoindex.store.words.value_list import quick_values
from photoindex.text import fold

_AT_MOST = 60
_IN_DATABASE = ("type", "place", "camera", "lens", "keyword", "event", "volume")
_WORDS = re.compile(r"[^\W_]+")
# Words that are neither another term nor a list, a range, a weight or a pattern.
_PLAIN = re.compile(r"(?!OR\b|AND\b|NOT\b|-|@)(?:(?!\.\.)[\w.+&'#%/!?=$;~\]\[|{}@-])+")


def values_beginning(database: Path, typed: str, field: str) -> list[str]:
    """Return the values of a field that begin with a text, or else those with a word that does, at most 60; none for other fields.

    Case and accents are ignored. `source:` has two parts: facts end with the `=` that parts them.
    """
    if field == "source":
        fact, equals, _ = typed.partition("=")
        sources = TAG_SOURCES if fact.lower() == "tag" else SOURCES
        values = (
            [f"{fact}={one}" for one in sources] if equals else [*(f"{one}=" for one in FACTS), "tag=", *TAG_SOURCES]
        )
        return beginning(values, typed)
    of_library = sorted(quick_values(database, field), key=fold) if field in _IN_DATABASE else []
    return beginning([*CHOICES.get(field, ()), *of_library], typed)


def names_of(database: Path, typed: str, subject: str) -> list[str]:
    """Return the names that begin with a text; subject: `saved` (queries), `space`, `volume` or `error` (classes of errors)."""
    return beginning(sorted(quick_values(database, subject), key=fold), typed)


def beginning(values: Iterable[str], typed: str) -> list[str]:
    """Return the values that begin with a text, or else those with a word that does, at most 60, in their order."""
    start, known = fold(typed), list(dict.fromkeys(values))
    found = [one for one in known if fold(one).startswith(start)]
    found = found or [
        one for one in known if any(fold(one[at.start() :]).startswith(start) for at in _WORDS.finditer(one))
    ]
    return at_most(found)


def at_most(names: list[str]) -> list[str]:
    """Return the first 59 of sorted names and the last: what these have in common, which a shell goes on with, all have."""
    return [*names[: _AT_MOST - 1], names[-1]] if len(names) > _AT_MOST else names


def as_value(name: str, *, always_quoted: bool = False) -> str:
    """Return a name as the value of a field in one argument of a shell: in quotes where it would be read as more than that."""
    return name if not always_quoted and all(map(_PLAIN.fullmatch, name.split(" "))) else quoted(name)
