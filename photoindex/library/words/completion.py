"""The names of tags and albums that begin with what somebody typed."""

from __future__ import annotations

from pathlib import Path

from photoindex.domain.words.names import tag_key
from photoindex.store.words.name_list import quick_albums, quick_tags
from photoindex.text import fold


def tags_beginning(database: Path, typed: str) -> list[str]:
    """Return the tags that begin with a text, then those with a level that does; case and accents are ignored."""
    start = tag_key(typed)
    known = [(tag_key(name), name) for name in quick_tags(database)]
    inner = [name for key, name in known if f"/{start}" in key and not key.startswith(start)]
    return [*(name for key, name in known if key.startswith(start)), *inner]


def tags_for_shell(database: Path, typed: str) -> list[str]:
    """Return the tags that begin with a text, or else those with a level that does.

    A shell goes on typing what all of them begin with, so the two are not mixed.
    """
    start = tag_key(typed)
    found = tags_beginning(database, typed)
    return [name for name in found if tag_key(name).startswith(start)] or found


def albums_beginning(database: Path, typed: str) -> list[str]:
    """Return the albums whose names begin with a text; case and accents are ignored."""
    start = fold(typed)
    return [name for name in quick_albums(database) if fold(name).startswith(start)]
