"""Taking back what an entry of the journal changed, row by row, or nothing at all."""

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
from photoindex.store.journal.journal import Change, Row, Stored, read_chunk, record, untyped
from photoindex.store.schema.tables import journal, journal_change, metadata

Amend = Callable[[Change], Change]
Finish = Callable[[Connection, int], None]


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo came to: the entry, the new entry that undoes it (None for a dry run), how many rows were put back."""

    entry_id: int
    undone_by: int | None
    rows: int


class CannotUndo(UsageError):
    """The entry is already undone, or its rows have changed since; nothing was changed."""

    meaning = ""


def undo(connection: Connection, entry_id: int, amend: Amend | None = None) -> int:
    """Put back what the entry changed and return the number of the new entry that says so (undoing that one is a redo).

    To be called in a write transaction of its own, which must be rolled back when this raises: NothingFound for an
    unknown entry, CannotUndo for one that is undone already or whose rows have changed since. Rows that would point at
    missing ones are noticed at the end of the transaction only; `undo_in` says that in words. `amend` takes each change
    and returns it with the row that is to be put back, where that is not true any more.
    """
    entry = connection.execute(select(journal).where(journal.c.id == entry_id)).first()
    if entry is None:
        raise NothingFound(f"the journal has no entry {entry_id}; see: photoindex log")
    if entry.undone_by is not None:
        raise CannotUndo(f"entry {entry_id} is undone already, by entry {entry.undone_by}; undo that one to redo it")
    # Rows that point at each other may come back in any order.
    engine_of(connection).check_links_at_commit(connection)
    undoing = record(
        connection,
        command="undo" if entry.undoes is None else "redo",
        summary=f"undo of {entry_id} ({entry.command}): {entry.summary}"
        if entry.undoes is None
        else f"undo of {entry_id}",
        changes=_put_back(connection, entry_id, amend),
        undoes=entry_id,
    )
    _mark_undone(connection, entry_id, undoing)
    return undoing


def _mark_undone(connection: Connection, entry_id: int, undoing: int) -> None:
    """Mark the entry as undone, which puts the one that it had undone in force again, and so on down the chain."""
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
) -> Undone:
    """Undo an entry like `undo` in a transaction of its own; with `dry_run` only find out whether it can be done.

    `finish` is called at the end of the transaction with the number of the new entry, to leave work that follows from the
    rows put back. Raises NothingFound, CannotUndo.
    """
    try:
        with database.write() as connection:
            undoing = undo(connection, entry_id, amend)
            if finish is not None:
                finish(connection, undoing)
            count = connection.execute(
                select(func.count()).select_from(journal_change).where(journal_change.c.journal_id == undoing)
            ).scalar_one()
            if dry_run:
                # What the commit would notice; it reads whole tables, which a real undo is spared.
                if engine_of(connection).has_broken_link(connection):
                    raise _broken_link(entry_id)
                connection.rollback()
    except BROKEN_LINK_AT_COMMIT as error:
        raise _broken_link(entry_id) from error
    return Undone(entry_id, None if dry_run else undoing, int(count))


def _broken_link(entry_id: int) -> CannotUndo:
    return CannotUndo(
        f"entry {entry_id} cannot be undone: a row would point at one that is gone since; nothing was changed"
    )


def _put_back(connection: Connection, entry_id: int, amend: Amend | None) -> Iterator[Change]:
    """Restore `before` of every change, last change first; yield the inverse changes."""
    last: int | None = None
    while chunk := read_chunk(connection, entry_id, before=last):
        last = chunk[-1][0]
        for batch in _batches([change if amend is None else amend(change) for _, change in chunk]):
            _restore(connection, entry_id, batch)
            yield from (Change(one.table_name, one.key, before=one.after, after=one.before) for one in batch)


def _batches(changes: list[Change]) -> Iterator[list[Change]]:
    """Split into runs of one table and one kind of change in which no row comes twice."""
    batch: list[Change] = []
    keys: set[tuple[Stored, ...]] = set()
    shape: object = None
    for change in changes:
        key = tuple(change.key.values())
        now = (
            change.table_name,
            None if change.before is None else tuple(change.before),
            None if change.after is None else tuple(change.after),
        )
        if batch and (now != shape or key in keys):
            yield batch
            batch, keys = [], set()
        shape = now
        batch.append(change)
        keys.add(key)
    if batch:
        yield batch


def _restore(connection: Connection, entry_id: int, batch: list[Change]) -> None:
    """Put the rows of one batch back; `batch` is one table, one kind of change, every row once."""
    first = batch[0]
    table = _known_table(entry_id, first)
    _refuse_changed_rows(connection, entry_id, table, batch)
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
            f"entry {entry_id} cannot be undone: another row of {table.name} has taken the place of one it would put back "
            f"({error.orig}); nothing was changed"
        ) from error


def _refuse_changed_rows(connection: Connection, entry_id: int, table: sa.TableClause, batch: list[Change]) -> None:
    names = list(batch[0].key)
    columns = [table.c[name] for name in names]
    wanted = [tuple(change.key[name] for name in names) for change in batch]
    condition = columns[0].in_([key[0] for key in wanted]) if len(names) == 1 else sa.tuple_(*columns).in_(wanted)
    current = {
        tuple(row[name] for name in names): row for row in connection.execute(select(table).where(condition)).mappings()
    }
    for change, key in zip(batch, wanted, strict=True):
        row = current.get(key)
        same = row is None if change.after is None else row is not None and _agrees(dict(row), change.after)
        if not same:
            what = "is there again" if change.after is None else "is gone" if row is None else "has changed"
            raise CannotUndo(
                f"entry {entry_id} cannot be undone: {table.name} {', '.join(map(str, key))} {what} since; nothing was changed"
            )


def _agrees(row: Row, after: Row) -> bool:
    # Columns that a later version of the program added do not count.
    return all(row[name] == value and type(row[name]) is type(value) for name, value in after.items())


def _known_table(entry_id: int, change: Change) -> sa.TableClause:
    table = metadata.tables.get(change.table_name)
    columns = {*change.key, *(change.before or ()), *(change.after or ())}
    if table is None or not columns <= set(table.columns.keys()):
        raise CannotUndo(
            f"entry {entry_id} cannot be undone: it was made by another version of photoindex, whose table "
            f"{change.table_name} had other columns; nothing was changed"
        )
    return untyped(table)
