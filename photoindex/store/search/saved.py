"""Saved queries; every change is recorded in the journal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from photoindex.store.engine.statements import upsert
from photoindex.store.journal.journal import Change, record, stored_row
from photoindex.store.schema.tables import saved_query


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One saved query; `name` is lower-case, `at` UTC seconds since 1970."""

    name: str
    query: str
    at: float


def saved_queries(connection: Connection) -> list[SavedQuery]:
    """Return all saved queries by name."""
    rows = connection.execute(select(saved_query).order_by(saved_query.c.name))
    return [SavedQuery(row.name, row.query, row.at) for row in rows]


def save(connection: Connection, name: str, query: str) -> str | None:
    """Save a query and return the one it replaces; an identical one is left unchanged."""
    before = stored_row(connection, saved_query, {"name": name})
    replaced = None if before is None else str(before["query"])
    if replaced != query:
        statement = upsert(saved_query).values(name=name, query=query, at=time.time())
        kept = {"query": statement.excluded.query, "at": statement.excluded.at}
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=kept))
        after = stored_row(connection, saved_query, {"name": name})
        change = Change(saved_query.name, {"name": name}, before, after)
        verb = "saved" if before is None else "replaced"
        record(connection, command="search --saved", summary=f"{verb} the query @{name}", changes=[change])
    return replaced


def remove(connection: Connection, names: Sequence[str]) -> None:
    """Remove saved queries in one journal entry; names without a query are passed over."""
    rows = [(name, stored_row(connection, saved_query, {"name": name})) for name in names]
    changes = [Change(saved_query.name, {"name": name}, row, None) for name, row in rows if row is not None]
    if not changes:
        return
    connection.execute(delete(saved_query).where(saved_query.c.name.in_(names)))
    listed = ", ".join(f"@{name}" for name, row in rows if row is not None)
    queries = "query" if len(changes) == 1 else "queries"
    record(connection, command="saved remove", summary=f"removed the saved {queries} {listed}", changes=changes)
