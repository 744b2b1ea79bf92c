"""The names of tags and albums that begin with what somebody typed."""

from __future__ import annotations

from pathlib import Path

from photoindex.domain.words.names import tag_key
from photoindex.store.words.name_list import quick_albums, quick_tags
from photoindex.text import fold


def tags_beginning(database: Path, typed: str) -> list[str]:
    """Return the tags that begin with a text, from any of their levels on; case and accents are ignored.

    Those that begin with it come first.
    """
    start = tag_key(typed)
    known = [(tag_key(name), name) for name in quick_tags(database)]
    first = [name for key, name in known if key.startswith(start)]
    return first or [name for key, name in known if f"/{start}" in key]


def albums_beginning(database: Path, typed: str) -> list[str]:
    """Return the albums whose names begin with a text; case and accents are ignored."""
    start = fold(typed)
    return [name for name in quick_albums(database) if fold(name).startswith(start)]
