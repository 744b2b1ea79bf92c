"""Makes the summaries of people that lists need."""

from __future__ import annotations

from photoindex.errors import DatabaseFailed, LibraryLocked, StorageFull
from photoindex.library.handle import Library
from photoindex.store.people import summaries

_WAIT_SECONDS = 0.2
"""A list waits no longer than this for another writer."""


def make_summaries(library: Library) -> None:
    """Make and store the summaries that are missing, if possible; call it before listing people.

    Without it, a list says the same, but computes them each time.
    """
    with library.database.read() as connection:
        if library.unwritable or not summaries.are_missing(connection):
            return
    try:
        with library.database.write(wait_seconds=_WAIT_SECONDS) as connection:
            summaries.make_missing(connection)
    except (DatabaseFailed, LibraryLocked, StorageFull):
        return
