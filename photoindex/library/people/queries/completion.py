"""The names of people that begin with what somebody typed."""

from __future__ import annotations

from pathlib import Path

from photoindex.domain.people.names import name_key
from photoindex.store.people.name_list import quick_names


def names_beginning(database: Path, typed: str) -> list[str]:
    """Return the names of people that begin with a text, by folded name; case and accents are ignored."""
    start = name_key(typed)
    return [name for name in quick_names(database) if name_key(name).startswith(start)]
