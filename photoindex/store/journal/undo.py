"""Undo of a journal entry: all of its row changes, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from photoindex.errors import NothingFound, UsageError
from photoindex.store.engine.database import Database
from photoindex.store.engine.errors import BROKEN_LINK_AT_COMMIT
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.journal import people_rows, words_rows
from photoindex.store.journal.journal import Change, Row, Stored, read_chunk, record, untyped
from photoindex.store.schema.tables import journal, journal_change, metadata

Amend = Callable[[Change], Change]
Finish = Callable[[Connection, int], None]


@dataclass(frozen=True, slots=True)
class Undone:
    """Result of an undo: the entry, the new entry that undoes it (None for a dry run), the number of rows restored.

    files: how many originals were put back.
    """

    entry_id: int
    undone_by: int | None
    rows: int
    files: int = 0


class CannotUndo(UsageError):
    """The entry was already undone, or its rows have changed since; nothing was changed."""

    meaning = ""


def undo(connection: Connection, entry_id: int, amend: Amend | None = None, *, leave_changed: bool = False) -> int:
    """Undo the entry's changes and return the id of the new entry that records this (undoing that one is a redo).

    Call it in its own write transaction, which must be rolled back if this raises: NothingFound for an unknown entry,
    CannotUndo for one that was already undone or whose rows have changed since. References to missing rows are detected
    only at commit; `undo_in` turns that error into CannotUndo. `amend` receives each change and returns it, with a
    different row to restore where the recorded one is no longer correct. leave_changed: leave rows alone that have changed
    since, instead of raising.
    """
    entry = connection.execute(select(journal).where(journal.c.id == entry_id)).first()
    if entry is None:
        raise NothingFound(f"the journal has no entry {entry_id}; see: photoindex log")
    if entry.undone_by is not None:
        raise CannotUndo(f"entry {entry_id} was already undone by entry {entry.undone_by}; undo that one to redo it")
    # Rows that refer to each other may be restored in any order.
    engine_of(connection).check_links_at_commit(connection)
    undoing = record(
        connection,
        command="undo" if entry.undoes is None else "redo",
        summary=f"undo of {entry_id} ({entry.command}): {entry.summary}"
        if entry.undoes is None
        else f"undo of {entry_id}",
        changes=_undo_changes(connection, entry_id, amend, leave_changed=leave_changed),
        undoes=entry_id,
    )
    _mark_undone(connection, entry_id, undoing)
    return undoing


def _mark_undone(connection: Connection, entry_id: int, undoing: int) -> None:
    """Mark the entry as undone; the entry that it had undone takes effect again, and so on down the chain."""
    undone: int | None = entry_id
    by: int | None = undoing
    while undone is not None:
        connection.execute(journal.update().where(journal.c.id == undone).values(undone_by=by))
        by = undone if by is None else None
        undone = connection.execute(select(journal.c.undoes).where(journal.c.id == undone)).scalar_one()


def undo_in(
    database: Database,
    entry_id: int,
    *,
    dry_run: bool = False,
    amend: Amend | None = None,
    finish: Finish | None = None,
    leave_changed: bool = False,
) -> Undone:
    """Undo an entry like `undo`, in its own transaction; with `dry_run`, only check whether it can be undone.

    `finish` is called at the end of the transaction with the id of the new entry, to schedule the work that follows
    from the restored rows. Raises NothingFound, CannotUndo.
    """
    try:
        with database.write() as connection:
            undoing = undo(connection, entry_id, amend, leave_changed=leave_changed)
            if finish is not None:
                finish(connection, undoing)
            count = connection.execute(
                select(func.count()).select_from(journal_change).where(journal_change.c.journal_id == undoing)
            ).scalar_one()
            if dry_run:
                # The commit would detect this; checking here reads whole tables, which a real undo avoids.
                if engine_of(connection).has_broken_link(connection):
                    raise _broken_link(entry_id)
                connection.rollback()
    except BROKEN_LINK_AT_COMMIT as error:
        raise _broken_link(entry_id) from error
    return Undone(entry_id, None if dry_run else undoing, int(count))


def _broken_link(entry_id: int) -> CannotUndo:
    return CannotUndo(
        f"entry {entry_id} cannot be undone: a restored row would refer to one that no longer exists; nothing was changed"
    )


def _undo_changes(
    connection: Connection, entry_id: int, amend: Amend | None, *, leave_changed: bool
) -> Iterator[Change]:
    """Restore `before` of every change, last change first; yield the inverse changes."""
    last: int | None = None
    while chunk := read_chunk(connection, entry_id, before=last):
        last = chunk[-1][0]
        for recorded in _batches([change if amend is None else amend(change) for _, change in chunk]):
            adapted = words_rows.adapted(connection, people_rows.adapted(connection, recorded))
            for batch in _batches(adapted):
                if leave_changed:
                    changed = _changed_since(connection, _known_table(entry_id, batch[0]), batch)
                    batch = [one for one in batch if tuple(one.key.values()) not in changed]  # noqa: PLW2901
                    if not batch:
                        continue
                yield from people_rows.made_way(connection, batch)
                words_rows.make_way(connection, batch)
                _restore(connection, entry_id, batch)
                yield from (Change(one.table_name, one.key, before=one.after, after=one.before) for one in batch)


def _batches(changes: list[Change]) -> Iterator[list[Change]]:
    """Split into runs of one table and one kind of change, each row at most once per run."""
    batch: list[Change] = []
    keys: set[tuple[Stored, ...]] = set()
    shape: object = None
    for change in changes:
        key = tuple(change.key.values())
        current_shape = (
            change.table_name,
            None if change.before is None else tuple(change.before),
            None if change.after is None else tuple(change.after),
        )
        if batch and (current_shape != shape or key in keys):
            yield batch
            batch, keys = [], set()
        shape = current_shape
        batch.append(change)
        keys.add(key)
    if batch:
        yield batch


def _restore(connection: Connection, entry_id: int, batch: list[Change]) -> None:
    """Restore the rows of one batch: one table, one kind of change, each row once."""
    first = batch[0]
    table = _known_table(entry_id, first)
    _refuse_changed_rows(connection, entry_id, table, batch)
    decided = people_rows.decisions_left(connection, batch)
    if decided is not None:
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: it would remove person {decided}, who has been changed since; "
            "nothing was changed"
        )
    keys = [{f"key_{name}": value for name, value in change.key.items()} for change in batch]
    this_row = [table.c[name] == sa.bindparam(f"key_{name}") for name in first.key]
    try:
        if first.before is None:
            connection.execute(table.delete().where(*this_row), keys)
        elif first.after is None:
            connection.execute(table.insert(), [change.before or {} for change in batch])
        else:
            values: dict[Any, Any] = {table.c[name]: sa.bindparam(f"value_{name}") for name in first.before}
            rows = [{f"value_{name}": value for name, value in (change.before or {}).items()} for change in batch]
            connection.execute(
                table.update().where(*this_row).values(values),
                [{**key, **row} for key, row in zip(keys, rows, strict=True)],
            )
    except IntegrityError as error:
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: another row of {table.name} conflicts with a row to restore "
            f"({error.orig}); nothing was changed"
        ) from error


def _refuse_changed_rows(connection: Connection, entry_id: int, table: sa.TableClause, batch: list[Change]) -> None:
    for key, what in _changed_since(connection, table, batch).items():
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: {table.name} {', '.join(map(str, key))} {what}; nothing was changed"
        )


def _changed_since(connection: Connection, table: sa.TableClause, batch: list[Change]) -> dict[tuple[Stored, ...], str]:
    """Return the keys of the rows of a batch that are not as the entry left them, and what became of each."""
    names = list(batch[0].key)
    columns = [table.c[name] for name in names]
    wanted = [tuple(change.key[name] for name in names) for change in batch]
    condition = columns[0].in_([key[0] for key in wanted]) if len(names) == 1 else sa.tuple_(*columns).in_(wanted)
    current = {
        tuple(row[name] for name in names): row for row in connection.execute(select(table).where(condition)).mappings()
    }
    found = {}
    for change, key in zip(batch, wanted, strict=True):
        row = current.get(key)
        same = row is None if change.after is None else row is not None and _matches(dict(row), change.after)
        if not same:
            found[key] = (
                "exists again" if change.after is None else "no longer exists" if row is None else "has changed since"
            )
    return found


def _matches(row: Row, after: Row) -> bool:
    # Ignore columns that a later version of the program added.
    return all(row[name] == value and type(row[name]) is type(value) for name, value in after.items())


def _known_table(entry_id: int, change: Change) -> sa.TableClause:
    table = metadata.tables.get(change.table_name)
    columns = {*change.key, *(change.before or ()), *(change.after or ())}
    if table is None or not columns <= set(table.columns.keys()):
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: it was written by another version of photoindex, whose table "
            f"{change.table_name} had other columns; nothing was changed"
        )
    return untyped(table)
