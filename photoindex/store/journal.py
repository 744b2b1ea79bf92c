"""The journal: every change that a person made, row by row, so that it can be shown and undone.

Rows are kept as SQLite stores them (integers, floats, text, bytes), not as the program's types: what is put back is bit for
bit what was there, whatever the types have become since. In JSON, bytes are `{"base64": "..."}`.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, Table, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import NullType

from photoindex.errors import NothingFound, UsageError
from photoindex.store.database import Database
from photoindex.store.tables import journal, journal_change, metadata

Stored = int | float | str | bytes | None
Row = dict[str, Stored]

_CHUNK = 500
"""Changes handled at a time; few enough for one SELECT with all their keys as parameters."""


class CannotUndo(UsageError):  # noqa: N818 - the family's names say what happened, like all of photoindex.errors
    """The entry is already undone, or its rows have changed since; nothing was changed."""

    meaning = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after; `before` None: it did not exist, `after` None: it was removed.

    `key` is the primary key, column -> value. Values are as SQLite stores them.
    """

    table_name: str
    key: Row
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation; `at` is UTC seconds since 1970, `changes` how many rows it changed.

    `undoes` is the entry that this one undid, `undone_by` the entry that undid this one.
    """

    id: int
    at: float
    command: str
    summary: str
    changes: int
    undoes: int | None
    undone_by: int | None


def record(connection: Connection, *, command: str, summary: str, changes: Iterable[Change]) -> int:
    """Write an entry with its changes (read one by one, never held together) and return its number.

    To be called in the transaction that makes the changes.
    """
    return _record(connection, command=command, summary=summary, changes=changes, undoes=None)


def rows_as_changes(connection: Connection, table: Table, chosen: Select[Any]) -> Iterator[Change]:
    """Yield a change for every row of `table` that is about to be deleted; `chosen` is a SELECT from it, whatever its columns.

    Read it (by `record`) before the rows are deleted, children before parents.
    """
    for row in _stored_rows(connection, table, chosen):
        yield Change(table.name, _key_of(table, row), before=row, after=None)


def updates_as_changes(
    connection: Connection, table: Table, chosen: Select[Any], values: Mapping[str, Stored]
) -> Iterator[Change]:
    """Yield a change for every chosen row of `table` whose columns are about to be set to `values`.

    `values` are as SQLite stores them (JSON as text, booleans as 0 and 1). Rows that have them already are left out.
    """
    for row in _stored_rows(connection, table, chosen):
        after = {**row, **values}
        if after != row:
            yield Change(table.name, _key_of(table, row), before=row, after=after)


def stored_row(connection: Connection, table: Table, key: Mapping[str, Stored]) -> Row | None:
    """Return one row as SQLite stores it, None where there is none; for the `before` and `after` of a single change."""
    plain = _plain(table)
    found = (
        connection.execute(select(plain).where(*(plain.c[name] == value for name, value in key.items())))
        .mappings()
        .first()
    )
    return None if found is None else dict(found)


def entries(connection: Connection, limit: int | None = None) -> Iterator[Entry]:
    """Yield the entries, newest first, at most `limit`."""
    counted = (
        select(func.count())
        .select_from(journal_change)
        .where(journal_change.c.journal_id == journal.c.id)
        .scalar_subquery()
    )
    statement = select(journal, counted.label("changes")).order_by(journal.c.id.desc()).limit(limit)
    for row in connection.execute(statement):
        yield Entry(row.id, row.at, row.command, row.summary, row.changes, row.undoes, row.undone_by)


def changes_of(connection: Connection, entry_id: int) -> Iterator[Change]:
    """Yield the changes of an entry in the order in which they were made."""
    last = 0
    while chunk := _read_chunk(connection, entry_id, after=last):
        last = chunk[-1][0]
        yield from (change for _, change in chunk)


def newest_undoable(connection: Connection) -> int | None:
    """Return the newest entry that is neither undone nor itself an undoing; None where there is none."""
    found: int | None = connection.execute(
        select(func.max(journal.c.id)).where(journal.c.undone_by.is_(None), journal.c.undoes.is_(None))
    ).scalar_one()
    return found


def undo(connection: Connection, entry_id: int) -> int:
    """Put back what the entry changed and return the number of the new entry that says so (undoing that one is a redo).

    To be called in a write transaction of its own, which must be rolled back when this raises: NothingFound for an
    unknown entry, CannotUndo for one that is undone already or whose rows have changed since. Rows that would point at
    missing ones are noticed at the end of the transaction only; `undo_in` says that in words.
    """
    entry = connection.execute(select(journal).where(journal.c.id == entry_id)).first()
    if entry is None:
        raise NothingFound(f"the journal has no entry {entry_id}; see: photoindex log")
    if entry.undone_by is not None:
        raise CannotUndo(f"entry {entry_id} is undone already, by entry {entry.undone_by}; undo that one to redo it")
    # Rows that point at each other may come back in any order; SQLite looks at the end of the transaction.
    connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    undoing = _record(
        connection,
        command="undo" if entry.undoes is None else "redo",
        summary=f"undo of {entry_id} ({entry.command}): {entry.summary}"
        if entry.undoes is None
        else f"undo of {entry_id}",
        changes=_put_back(connection, entry_id),
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


def undo_in(database: Database, entry_id: int, *, dry_run: bool = False) -> int:
    """Undo an entry like `undo` in a transaction of its own; with `dry_run` only find out whether it can be done.

    Returns the number of rows changed. Raises NothingFound, CannotUndo.
    """
    try:
        with database.write() as connection:
            undoing = undo(connection, entry_id)
            count = connection.execute(
                select(func.count()).select_from(journal_change).where(journal_change.c.journal_id == undoing)
            ).scalar_one()
            if dry_run:
                # What the commit would notice; it reads whole tables, which a real undo is spared.
                if connection.execute(sa.text("PRAGMA foreign_key_check")).first() is not None:
                    raise _broken_link(entry_id)
                connection.rollback()
    except sqlite3.IntegrityError as error:
        raise _broken_link(entry_id) from error
    return int(count)


def _broken_link(entry_id: int) -> CannotUndo:
    return CannotUndo(
        f"entry {entry_id} cannot be undone: a row would point at one that is gone since; nothing was changed"
    )


def _record(
    connection: Connection, *, command: str, summary: str, changes: Iterable[Change], undoes: int | None
) -> int:
    entry_id = connection.execute(
        journal.insert().values(at=time.time(), command=command, summary=summary, undoes=undoes).returning(journal.c.id)
    ).scalar_one()
    insert = _plain(journal_change).insert()
    remaining = iter(changes)
    while chunk := list(islice(remaining, _CHUNK)):
        connection.execute(
            insert,
            [
                {
                    "journal_id": entry_id,
                    "table_name": change.table_name,
                    "row_key": _to_json(change.key),
                    "before": _to_json(change.before),
                    "after": _to_json(change.after),
                }
                for change in chunk
            ],
        )
    return int(entry_id)


def _put_back(connection: Connection, entry_id: int) -> Iterator[Change]:
    """Restore `before` of every change, last change first; yield the inverse changes."""
    last: int | None = None
    while chunk := _read_chunk(connection, entry_id, before=last):
        last = chunk[-1][0]
        for batch in _batches([change for _, change in chunk]):
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
    return _plain(table)


def _plain(table: Table) -> sa.TableClause:
    """Return the table without its columns' types, so that values pass as SQLite stores them."""
    return sa.table(table.name, *(sa.column(column.name) for column in table.columns))


def _stored_rows(connection: Connection, table: Table, chosen: Select[Any]) -> Iterator[Row]:
    columns = [sa.type_coerce(column, NullType()).label(column.name) for column in table.columns]
    statement = chosen.with_only_columns(*columns, maintain_column_froms=True)
    for row in connection.execute(statement.execution_options(yield_per=_CHUNK)).mappings():
        yield dict(row)


def _key_of(table: Table, row: Row) -> Row:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def _read_chunk(
    connection: Connection, entry_id: int, *, after: int | None = None, before: int | None = None
) -> list[tuple[int, Change]]:
    """Return the next changes with their ids: forwards from `after`, else backwards from `before` (None: from the end)."""
    plain = _plain(journal_change)
    statement = select(plain).where(plain.c.journal_id == entry_id).limit(_CHUNK)
    if after is not None:
        statement = statement.where(plain.c.id > after).order_by(plain.c.id)
    else:
        statement = statement.order_by(plain.c.id.desc())
        if before is not None:
            statement = statement.where(plain.c.id < before)
    return [
        (row.id, Change(row.table_name, _from_json(row.row_key) or {}, _from_json(row.before), _from_json(row.after)))
        for row in connection.execute(statement)
    ]


def _to_json(row: Row | None) -> str | None:
    if row is None:
        return None
    return json.dumps(
        row, ensure_ascii=False, default=lambda value: {"base64": base64.b64encode(value).decode("ascii")}
    )


def _from_json(text: str | None) -> Row | None:
    if text is None:
        return None
    return {
        name: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
        for name, value in json.loads(text).items()
    }
