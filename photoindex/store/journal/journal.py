"""The journal: every change made by a person, row by row, so that it can be shown and undone.

Rows are kept as SQLite stores them (integers, floats, text, bytes), not as the program's types: undo restores them bit
for bit, even if the types have changed since. In JSON, bytes are `{"base64": "..."}`.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, Table, func, select
from sqlalchemy.types import NullType

from photoindex.store.schema.tables import PathBytes, journal, journal_change, metadata

Stored = int | float | str | bytes | None
Row = dict[str, Stored]

_CHUNK = 500
"""Changes per chunk; few enough for one SELECT with all their keys as parameters."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after; `before` is None if it did not exist, `after` if it was removed.

    `key` is the primary key, column -> value. Values are as SQLite stores them.
    """

    table_name: str
    key: Row
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One operation; `at` is UTC seconds since 1970, `changes` the number of rows it changed.

    `undoes` is the entry that this one undid, `undone_by` the entry that undid this one.
    """

    id: int
    at: float
    command: str
    summary: str
    changes: int
    undoes: int | None
    undone_by: int | None


def record(
    connection: Connection, *, command: str, summary: str, changes: Iterable[Change], undoes: int | None = None
) -> int:
    """Write an entry with its changes (consumed as a stream, never held in memory together) and return its id.

    Call it in the transaction that makes the changes. `undoes` is the entry that this one undoes.
    """
    entry_id = connection.execute(
        journal.insert().values(at=time.time(), command=command, summary=summary, undoes=undoes).returning(journal.c.id)
    ).scalar_one()
    extend(connection, entry_id, changes)
    return int(entry_id)


def extend(connection: Connection, entry_id: int, changes: Iterable[Change]) -> None:
    """Write further changes of an entry, which a command with several transactions makes; call it in the one that makes them."""
    insert = untyped(journal_change).insert()
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


def summarize(connection: Connection, entry_id: int, summary: str) -> None:
    """Give an entry another summary."""
    connection.execute(journal.update().where(journal.c.id == entry_id).values(summary=summary))


def keep_if_changed(connection: Connection, entry_id: int, summary: str) -> bool:
    """Give a new entry its summary, known only after its changes; remove one without changes and return False."""
    of_entry = select(journal_change.c.id).where(journal_change.c.journal_id == entry_id).limit(1)
    if connection.execute(of_entry).first() is None:
        connection.execute(journal.delete().where(journal.c.id == entry_id))
        return False
    summarize(connection, entry_id, summary)
    return True


def rows_as_changes(connection: Connection, table: Table, chosen: Select[Any]) -> Iterator[Change]:
    """Yield a change for every row of `table` about to be deleted; `chosen` is a SELECT from it, with any columns.

    Consume it (with `record`) before the rows are deleted, children before parents.
    """
    for row in _stored_rows(connection, table, chosen):
        yield Change(table.name, _key_of(table, row), before=row, after=None)


def updates_as_changes(
    connection: Connection, table: Table, chosen: Select[Any], values: Mapping[str, Stored]
) -> Iterator[Change]:
    """Yield a change for every chosen row of `table` whose columns are about to be set to `values`.

    `values` are as SQLite stores them (JSON as text, booleans as 0 and 1). Rows that already have them are skipped.
    """
    for row in _stored_rows(connection, table, chosen):
        after = {**row, **values}
        if after != row:
            yield Change(table.name, _key_of(table, row), before=row, after=after)


def stored_row(connection: Connection, table: Table, key: Mapping[str, Stored]) -> Row | None:
    """Return one row as SQLite stores it, None if it does not exist; for `before` and `after` of a single change."""
    plain = untyped(table)
    found = (
        connection.execute(select(plain).where(*(plain.c[name] == value for name, value in key.items())))
        .mappings()
        .first()
    )
    return None if found is None else dict(found)


def readable(table_name: str, row: Row | None) -> dict[str, object] | None:
    """Return a row for display and for JSON: paths as bytes, digests in hexadecimal, JSON columns parsed."""
    table = metadata.tables.get(table_name)
    if row is None or table is None:
        return None if row is None else dict(row)
    return {name: _readable(table.columns.get(name), value) for name, value in row.items()}


def _readable(column: sa.Column[Any] | None, value: Stored) -> object:
    if column is None or value is None:
        return value
    if isinstance(column.type, PathBytes):
        return value.encode("utf-8") if isinstance(value, str) else value
    if isinstance(column.type, sa.JSON) and isinstance(value, str):
        return json.loads(value)
    if isinstance(column.type, sa.Boolean):
        return bool(value)
    return value.hex() if isinstance(value, bytes) else value


def entries(connection: Connection, limit: int | None = None) -> Iterator[JournalEntry]:
    """Yield the entries, newest first, at most `limit`."""
    counted = (
        select(func.count())
        .select_from(journal_change)
        .where(journal_change.c.journal_id == journal.c.id)
        .scalar_subquery()
    )
    statement = select(journal, counted.label("changes")).order_by(journal.c.id.desc()).limit(limit)
    for row in connection.execute(statement):
        yield JournalEntry(row.id, row.at, row.command, row.summary, row.changes, row.undoes, row.undone_by)


def changes_of(connection: Connection, entry_id: int) -> Iterator[Change]:
    """Yield the changes of an entry in the order they were made."""
    last = 0
    while chunk := read_chunk(connection, entry_id, after=last):
        last = chunk[-1][0]
        yield from (change for _, change in chunk)


def changes_of_row(connection: Connection, change: Change) -> Iterator[Change]:
    """Yield all changes that entries made to the row of a change, in the order they were made."""
    plain = untyped(journal_change)
    of_row = (plain.c.table_name == change.table_name, plain.c.row_key == _to_json(change.key))
    for row in connection.execute(select(plain).where(*of_row).order_by(plain.c.id)):
        yield Change(row.table_name, change.key, _from_json(row.before), _from_json(row.after))


def newest_undoable(connection: Connection) -> int | None:
    """Return the newest entry that is neither undone nor itself an undo; None if there is none."""
    found: int | None = connection.execute(
        select(func.max(journal.c.id)).where(journal.c.undone_by.is_(None), journal.c.undoes.is_(None))
    ).scalar_one()
    return found


def undone_entry(connection: Connection, entry_id: int) -> int | None:
    """Return the entry that an entry undid; None if it is no undo."""
    found: int | None = connection.execute(select(journal.c.undoes).where(journal.c.id == entry_id)).scalar()
    return found


def removed_by(connection: Connection, table: Table, key: Row) -> int | None:
    """Return the newest entry that removed a row and is not undone; None if no entry did."""
    changed = untyped(journal_change)
    statement = (
        select(func.max(journal.c.id))
        .join(changed, changed.c.journal_id == journal.c.id)
        .where(changed.c.table_name == table.name, changed.c.row_key == _to_json(key), changed.c.after.is_(None))
        .where(journal.c.undone_by.is_(None))
    )
    found: int | None = connection.execute(statement).scalar_one()
    return found


def keys_removed_since(connection: Connection, table: Table, since: float) -> Iterator[Row]:
    """Yield the keys of the rows that entries from `since` (UTC seconds since 1970) on removed; they may be back by now."""
    changed = untyped(journal_change)
    statement = (
        select(changed.c.row_key)
        .join(journal, changed.c.journal_id == journal.c.id)
        .where(journal.c.at >= since, changed.c.table_name == table.name, changed.c.after.is_(None))
    )
    for key in connection.execute(statement).scalars():
        yield _from_json(key) or {}


def untyped(table: Table) -> sa.TableClause:
    """Return the table without column types, so that values pass through as SQLite stores them."""
    return sa.table(table.name, *(sa.column(column.name) for column in table.columns))


def _stored_rows(connection: Connection, table: Table, chosen: Select[Any]) -> Iterator[Row]:
    columns = [sa.type_coerce(column, NullType()).label(column.name) for column in table.columns]
    statement = chosen.with_only_columns(*columns, maintain_column_froms=True)
    for row in connection.execute(statement.execution_options(yield_per=_CHUNK)).mappings():
        yield dict(row)


def _key_of(table: Table, row: Row) -> Row:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def read_chunk(
    connection: Connection, entry_id: int, *, after: int | None = None, before: int | None = None
) -> list[tuple[int, Change]]:
    """Return the next changes with their ids: forwards from `after`, else backwards from `before` (None: the end)."""
    plain = untyped(journal_change)
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
