"""Contents whose metadata marks and names regions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from photoindex.domain.people.values import How
from photoindex.store.schema.tables import assignment, region

_KEYS = 500


def assets_of_regions(connection: Connection, region_ids: Sequence[int]) -> set[int]:
    """Return the contents of those of some regions that metadata marks."""
    found: set[int] = set()
    for start in range(0, len(region_ids), _KEYS):
        chosen = select(region.c.asset_id).where(region.c.id.in_(region_ids[start : start + _KEYS]))
        found.update(connection.execute(chosen.where(region.c.schema.is_not(None))).scalars())
    return found


def assets_of_individuals(connection: Connection, individual_ids: Sequence[int]) -> set[int]:
    """Return the contents whose metadata names one of these individuals."""
    found: set[int] = set()
    for start in range(0, len(individual_ids), _KEYS):
        chosen = (
            select(region.c.asset_id)
            .join(assignment, assignment.c.region_id == region.c.id)
            .where(
                assignment.c.individual_id.in_(individual_ids[start : start + _KEYS]),
                assignment.c.how == How.METADATA.value,
            )
        )
        found.update(connection.execute(chosen).scalars())
    return found
