"""Photos of hidden individuals: whose pictures are not shown unless asked for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from photoindex.store.schema.tables import assignment, individual, photo, region

_KEYS = 500


def photos_of_hidden(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    """Return those of the photos that show a hidden individual, however it was recognised."""
    shows_one = (
        select(photo.c.id)
        .join(region, region.c.asset_id == photo.c.primary_asset_id)
        .join(assignment, assignment.c.region_id == region.c.id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .where(individual.c.hidden.is_(True))
    )
    found: set[int] = set()
    for start in range(0, len(photo_ids), _KEYS):
        chosen = shows_one.where(photo.c.id.in_(photo_ids[start : start + _KEYS]))
        found.update(connection.execute(chosen).scalars())
    return found
