"""Stores how long something took, without ever delaying or failing it."""

from __future__ import annotations

from contextlib import suppress

from photoindex.errors import PhotoIndexError
from photoindex.library.handle import Library
from photoindex.store.night import measurements


def note_search(library: Library, seconds: float) -> None:
    """Store how long a search took, from its start to the last line of its answer; skipped where it cannot be written now."""
    _note(library, measurements.SEARCH, seconds)


def note_merge(library: Library, seconds: float) -> None:
    """Store how long a merge into an index took; skipped where it cannot be written now."""
    _note(library, measurements.INDEX, seconds)


def _note(library: Library, kind: str, seconds: float) -> None:
    if library.unwritable:
        return
    with suppress(PhotoIndexError), library.database.write(wait_seconds=0.0) as connection:
        measurements.record(connection, kind, seconds)
