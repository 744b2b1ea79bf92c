"""Whom individuals were merged into, as the journal tells."""

from __future__ import annotations

from sqlalchemy import Connection

from photoindex.store.journal.journal import changes_of, removed_by
from photoindex.store.people import individuals
from photoindex.store.schema.tables import assignment, individual


def merged_into(connection: Connection, individual_id: int) -> int | None:
    """Return the individual that has the regions of one that is no longer there; None if it was not merged."""
    seen: set[int] = set()
    wanted: int | None = individual_id
    while wanted is not None and wanted not in seen:
        seen.add(wanted)
        wanted = _next(connection, wanted)
        if wanted is not None and individuals.by_id(connection, wanted) is not None:
            return wanted
    return None


def _next(connection: Connection, individual_id: int) -> int | None:
    entry = removed_by(connection, individual, {"id": individual_id})
    if entry is None:
        return None
    found = None
    for change in changes_of(connection, entry):
        before, after = change.before or {}, change.after or {}
        if change.table_name == assignment.name and before.get("individual_id") == individual_id:
            found = after.get("individual_id") or found
    return found if isinstance(found, int) else None
