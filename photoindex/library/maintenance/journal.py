"""Lists and undoes the changes that the user made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from photoindex.errors import NothingFound
from photoindex.library.duplicates.returning import take_back_unfinished, undo_with_files
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.invalidation import invalidate
from photoindex.library.scan.refresh import refresh
from photoindex.pipeline.ingest import derived_files
from photoindex.progress import EventSink, ignore_events
from photoindex.store.files import moves
from photoindex.store.journal import journal
from photoindex.store.journal.journal import Change, JournalEntry
from photoindex.store.journal.undo import Undone, undo_in


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One row changed by an entry; `key`, `before` and `after` map column -> value, None if there was no row."""

    entry: JournalEntry
    table: str
    key: dict[str, object]
    before: dict[str, object] | None
    after: dict[str, object] | None


def log(library: Library, limit: int | None = None) -> Iterator[JournalEntry]:
    """Yield the entries of the journal, newest first, at most `limit`."""
    with library.database.read() as connection:
        yield from journal.entries(connection, limit)


def log_changes(library: Library, limit: int | None = None) -> Iterator[ShownChange]:
    """Yield every row that the entries of `log` changed, entry by entry, in the order of the changes."""
    with library.database.read() as connection:
        for entry in journal.entries(connection, limit):
            for change in journal.changes_of(connection, entry.id):
                yield ShownChange(
                    entry,
                    change.table_name,
                    journal.readable(change.table_name, change.key) or {},
                    journal.readable(change.table_name, change.before),
                    journal.readable(change.table_name, change.after),
                )


def undo(
    library: Library, entry_id: int | None = None, *, dry_run: bool = False, emit: EventSink = ignore_events
) -> Undone:
    """Undo the changes of an entry, by default the newest one that is not undone; undoing an undo redoes it.

    Restored contents whose previews are gone are marked, so that the next scan rebuilds them. With `dry_run` nothing is
    changed. Files that the entry moved are put back. Raises NothingFound, CannotUndo (already undone, or the rows have changed since), LibraryLocked.
    """
    with exclusive(library.folder, "undo"):
        back = {} if dry_run else take_back_unfinished(library)
        if entry_id is None:
            with library.database.read() as connection:
                entry_id = journal.newest_undoable(connection)
            if entry_id is None:
                raise NothingFound("there is nothing to undo; see: photoindex log")

        def with_checked_previews(change: Change) -> Change:
            before = change.before
            if change.table_name != "asset" or before is None or change.after is not None or not before.get("derived"):
                return change
            digest = before["digest"]
            with suppress(OSError):
                if isinstance(digest, bytes) and derived_files.exist(library.derived_folder, digest):
                    return change
            return replace(change, before={**before, "derived": 0})

        done = undo_with_files(library, entry_id, partial(_undo_moved, library, entry_id), dry_run=dry_run) or undo_in(
            library.database, entry_id, dry_run=dry_run, amend=with_checked_previews, finish=invalidate
        )
        if not dry_run:
            with library.database.session() as session:
                refresh(library, session, Roots(library.database), emit)
        return replace(done, files=done.files + back.get(entry_id, 0))


def _undo_moved(library: Library, entry_id: int, *, dry_run: bool) -> Undone:
    """Undo the rows of an entry that moved files: what a person said since of the kept photos stays."""

    def finish(connection: Connection, undoing: int) -> None:
        moves.set_state(connection, entry_id, before=moves.RETURNING, after=moves.RETURNED)
        invalidate(connection, undoing)

    return undo_in(library.database, entry_id, dry_run=dry_run, finish=finish, leave_changed=True)
