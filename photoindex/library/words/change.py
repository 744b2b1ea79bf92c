"""What a person says in words about photos: each change in one transaction, with one entry in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.scan.invalidation import invalidate
from photoindex.store.journal import journal
from photoindex.store.journal.journal import Change


@dataclass(frozen=True, slots=True)
class WordsChanged:
    """The result of a change. entry_id: in the journal, None if nothing was changed. summary: as in the journal.

    photos: how many were changed. notes: what else a person should know.
    """

    entry_id: int | None
    summary: str
    photos: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What a change does: the changes, which are made as they are consumed, and what to say of them afterwards.

    outcome: returns a summary and how many photos were changed. finish: brings up to date what depends on the changes;
    None: whatever an undo of them would.
    """

    changes: Iterable[Change]
    outcome: Callable[[], tuple[str, int]]
    notes: tuple[str, ...] = ()
    finish: Callable[[Connection], None] | None = None


def change(
    library: Library, command: str, begin: Callable[[Connection], Work], *, dry_run: bool = False
) -> WordsChanged:
    """Do some work in one write transaction, record it, and bring up to date what depends on it; all or nothing.

    dry_run: take it all back, and only say what would change.
    """
    with library.database.write() as connection:
        work = begin(connection)
        entry_id = journal.record(connection, command=command, summary="", changes=work.changes)
        summary, photos = work.outcome()
        if dry_run:
            connection.rollback()
            return WordsChanged(None, summary, photos, work.notes)
        if not journal.keep_if_changed(connection, entry_id, summary):
            return WordsChanged(None, summary, 0, work.notes)
        if work.finish is None:
            invalidate(connection, entry_id)
        else:
            work.finish(connection)
    return WordsChanged(entry_id, summary, photos, work.notes)


def photos_text(count: int) -> str:
    """Return how many photos these are: 1 photo, 1,234 photos."""
    return f"{count:,} {'photo' if count == 1 else 'photos'}"
