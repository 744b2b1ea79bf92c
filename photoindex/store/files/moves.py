"""Originals that were moved into a trash folder: written down before each move, so that a killed command can be taken back."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, text, update

from photoindex.store.files.locations import Location
from photoindex.store.journal.journal import Change, Stored, updates_as_changes
from photoindex.store.schema.tables import file, file_move
from photoindex.store.tasks import stale

PLANNED, MOVED, RETURNING, RETURNED = "planned", "moved", "returning", "returned"
"""States of a move: written down; made; about to be undone; undone."""


@dataclass(frozen=True, slots=True)
class NewMove:
    """A move to be made. path, moved_to, linked_to: relative to the volume's mount point.

    linked_to: the file that takes the old place as a link; None if nothing does. mtime_ns: nanoseconds since 1970.
    """

    volume_id: int
    path: bytes
    moved_to: bytes
    linked_to: bytes | None
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Move(NewMove):
    """A move of the table. journal_id: the entry that it belongs to."""

    id: int
    journal_id: int
    state: str


def plan(connection: Connection, journal_id: int, moves: Sequence[NewMove]) -> None:
    """Write moves down before they are made."""
    connection.execute(insert(file_move), [asdict(one) | {"journal_id": journal_id, "state": PLANNED} for one in moves])


def of_entry(connection: Connection, journal_id: int, states: Collection[str]) -> list[Move]:
    """Return the moves of an entry of the journal in some states, in the order that they were made."""
    chosen = select(file_move).where(file_move.c.journal_id == journal_id, file_move.c.state.in_(states))
    return [Move(**row) for row in connection.execute(chosen.order_by(file_move.c.id)).mappings()]


def has_moves(connection: Connection, journal_id: int) -> bool:
    """Tell whether an entry of the journal ever moved files."""
    chosen = select(file_move.c.id).where(file_move.c.journal_id == journal_id).limit(1)
    return connection.execute(chosen).first() is not None


def moved_from(connection: Connection, location: Location) -> Move | None:
    """Return the newest move of a file that was at a location, and is not put back; None if there is none."""
    here = file_move.c.volume_id == location.volume_id, file_move.c.path == location.path, file_move.c.state == MOVED
    chosen = select(file_move).where(*here).order_by(file_move.c.id.desc()).limit(1)
    row = connection.execute(chosen).mappings().first()
    return None if row is None else Move(**row)


def unfinished_entries(connection: Connection) -> list[int]:
    """Return the entries of the journal with moves that a killed command left half done."""
    # The condition of the partial index, word by word.
    chosen = select(file_move.c.journal_id).distinct().where(text("state IN ('planned', 'returning')"))
    return sorted(connection.execute(chosen).scalars())


def set_state(connection: Connection, journal_id: int, *, before: str, after: str) -> None:
    """Change the state of all moves of an entry that have one."""
    chosen = file_move.c.journal_id == journal_id, file_move.c.state == before
    connection.execute(update(file_move).where(*chosen).values(state=after))


def forget_planned(connection: Connection, journal_id: int) -> None:
    """Forget moves of an entry that were not made, or were taken back."""
    chosen = file_move.c.journal_id == journal_id, file_move.c.state == PLANNED
    connection.execute(file_move.delete().where(*chosen))


def mark_gone(connection: Connection, file_ids: Sequence[int]) -> Iterator[Change]:
    """Mark files that were moved away as missing, as the next scan would; yields the changes for the journal."""
    yield from _changed(connection, file_ids, {"state": "missing", "missing_since": time.time()})


def note_time(connection: Connection, file_id: int, mtime_ns: int) -> Iterator[Change]:
    """Note the modification time of a file that was replaced by a link to a file with the same bytes."""
    yield from _changed(connection, [file_id], {"mtime_ns": mtime_ns})


def _changed(connection: Connection, file_ids: Sequence[int], values: dict[str, Stored]) -> Iterator[Change]:
    chosen = select(file).where(file.c.id.in_(file_ids))
    changes = list(updates_as_changes(connection, file, chosen, values))
    connection.execute(update(file).where(file.c.id.in_(file_ids)).values(values))
    stale.mark_folders_of_files_unrelated(connection, select(file.c.id).where(file.c.id.in_(file_ids)))
    yield from changes
