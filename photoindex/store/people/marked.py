"""Contents whose metadata marks and names regions, and names that mean nobody any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from photoindex.domain.people.values import How
from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import assignment, individual, individual_alias, region

_KEYS = 500


def assets_of_regions(connection: Connection, region_ids: Sequence[int]) -> set[int]:
    """Return the contents of those of some regions that metadata marks."""
    found: set[int] = set()
    for some in chunks(region_ids, _KEYS):
        chosen = select(region.c.asset_id).where(region.c.id.in_(some))
        found.update(connection.execute(chosen.where(region.c.schema.is_not(None))).scalars())
    return found


def assets_of_individuals(connection: Connection, individual_ids: Sequence[int]) -> set[int]:
    """Return the contents whose metadata names one of these individuals."""
    found: set[int] = set()
    for some in chunks(individual_ids, _KEYS):
        chosen = (
            select(region.c.asset_id)
            .join(assignment, assignment.c.region_id == region.c.id)
            .where(
                assignment.c.individual_id.in_(some),
                assignment.c.how == How.METADATA.value,
            )
        )
        found.update(connection.execute(chosen).scalars())
    return found


def with_alias_only(connection: Connection, individual_ids: Sequence[int]) -> list[int]:
    """Return those of some individuals that have no name, though a name in metadata means them."""
    found: list[int] = []
    for some in chunks(individual_ids, _KEYS):
        chosen = (
            select(individual.c.id)
            .join(individual_alias, individual_alias.c.individual_id == individual.c.id)
            .where(individual.c.id.in_(some), individual.c.name.is_(None))
        )
        found += connection.execute(chosen.distinct()).scalars()
    return found


def forget_aliases(connection: Connection, individual_ids: Sequence[int]) -> None:
    """Forget which names in metadata mean these individuals."""
    for some in chunks(individual_ids, _KEYS):
        chosen = individual_alias.c.individual_id.in_(some)
        connection.execute(delete(individual_alias).where(chosen))
