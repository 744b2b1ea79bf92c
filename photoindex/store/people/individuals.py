"""Individuals: people with and without a name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import PERSON
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import upsert
from photoindex.store.schema.tables import individual, individual_alias

_KEYS = 500
_all: Select[Any] = select(
    individual.c.id, individual.c.kind, individual.c.name, individual.c.born, individual.c.died, individual.c.ignored,
    individual.c.hidden, individual.c.cover_id,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndividualRow:
    """One individual. name: None for a group of faces without one. born, died: YYYY, YYYY-MM or YYYY-MM-DD.

    cover_id: the region that a person chose to show it.
    """

    id: int
    kind: str
    name: str | None
    born: str | None
    died: str | None
    ignored: bool
    hidden: bool
    cover_id: int | None


def by_id(connection: Connection, individual_id: int) -> IndividualRow | None:
    """Return one individual, None if there is none with this id."""
    row = connection.execute(_all.where(individual.c.id == individual_id)).first()
    return None if row is None else _row(row)


def by_ids(connection: Connection, individual_ids: Sequence[int]) -> dict[int, IndividualRow]:
    """Return id -> individual; unknown ids are omitted."""
    found: dict[int, IndividualRow] = {}
    for some in chunks(individual_ids, _KEYS):
        chosen = _all.where(individual.c.id.in_(some))
        found.update((row.id, _row(row)) for row in connection.execute(chosen))
    return found


def by_name(connection: Connection, name: str, *, kind: str = PERSON) -> IndividualRow | None:
    """Return the individual with this name; case and accents are ignored."""
    chosen = _all.where(individual.c.kind == kind, individual.c.name_key == name_key(name))
    row = connection.execute(chosen).first()
    return None if row is None else _row(row)


def named(connection: Connection, *, kind: str = PERSON) -> list[IndividualRow]:
    """Return all individuals with a name, by folded name."""
    chosen = _all.where(individual.c.kind == kind, individual.c.name.is_not(None))
    return [_row(row) for row in connection.execute(chosen.order_by(individual.c.name_key))]


def add(connection: Connection, *, name: str | None = None, kind: str = PERSON) -> int:
    """Add an individual and return its id, which is never used again. name: checked and free."""
    key = None if name is None else name_key(name)
    values = {"kind": kind, "name": name, "name_key": key, "created_at": time.time()}
    return new_id(connection.execute(insert(individual), values))


def for_name_in_metadata(connection: Connection, name: str, *, kind: str = PERSON) -> int:
    """Return the individual that a checked name in metadata means, adding it if there is none.

    The name is remembered as an alias, so that it still means the same person after a rename or a merge.
    """
    found = by_name(connection, name, kind=kind)
    if found is None:
        known = _by_alias(connection, name, kind)
        if known is not None:
            return known
    individual_id = add(connection, name=name, kind=kind) if found is None else found.id
    remembered = upsert(individual_alias).values(kind=kind, name_key=name_key(name), individual_id=individual_id)
    connection.execute(
        remembered.on_conflict_do_update(
            index_elements=["kind", "name_key"], set_={"individual_id": remembered.excluded.individual_id}
        )
    )
    return individual_id


def known_in_metadata(connection: Connection, name: str, *, kind: str = PERSON) -> int | None:
    """Return the individual that a name in metadata means, None if there is none."""
    found = by_name(connection, name, kind=kind)
    return _by_alias(connection, name, kind) if found is None else found.id


def _by_alias(connection: Connection, name: str, kind: str) -> int | None:
    alias = select(individual_alias.c.individual_id).where(
        individual_alias.c.kind == kind, individual_alias.c.name_key == name_key(name)
    )
    known: int | None = connection.execute(alias).scalar()
    return known


def _row(row: Row[Any]) -> IndividualRow:
    return IndividualRow(
        row.id, row.kind, row.name, row.born, row.died, bool(row.ignored), bool(row.hidden), row.cover_id
    )
