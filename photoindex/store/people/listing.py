"""Which individuals a list shows."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from photoindex.domain.people.values import PERSON
from photoindex.store.schema.tables import assignment, individual, rejection

_has_regions = select(assignment.c.region_id).where(assignment.c.individual_id == individual.c.id).exists()
_is_unnamed = individual.c.name.is_(None) & ~individual.c.ignored


def all_ids(connection: Connection, *, kind: str = PERSON) -> list[int]:
    """Return the ids of all individuals, by id."""
    return list(connection.execute(select(individual.c.id).where(individual.c.kind == kind).order_by("id")).scalars())


def ignored_ids(connection: Connection, *, kind: str = PERSON) -> list[int]:
    """Return the ids of the strangers, by id."""
    chosen = select(individual.c.id).where(individual.c.kind == kind, individual.c.ignored.is_(True))
    return list(connection.execute(chosen.order_by(individual.c.id)).scalars())


def count_unnamed(connection: Connection, *, kind: str = PERSON) -> int:
    """Return the number of groups with regions and without a name; strangers are left out."""
    chosen = select(func.count()).select_from(individual).where(individual.c.kind == kind, _is_unnamed, _has_regions)
    return int(connection.execute(chosen).scalar_one())


def count_ignored(connection: Connection, *, kind: str = PERSON) -> int:
    """Return the number of strangers."""
    chosen = select(func.count()).select_from(individual)
    return int(connection.execute(chosen.where(individual.c.kind == kind, individual.c.ignored.is_(True))).scalar_one())


def count_rejections(connection: Connection, individual_id: int) -> int:
    """Return how many regions were said not to be this individual."""
    chosen = select(func.count()).where(rejection.c.individual_id == individual_id)
    return int(connection.execute(chosen).scalar_one())
