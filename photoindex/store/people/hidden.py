"""Photos of hidden individuals: whose pictures are not shown unless asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import assignment, individual, photo, region

_KEYS = 500
_shown = region.alias("shown_region")
_recognised = assignment.alias("shown_assignment")
_hidden = individual.alias("hidden_individual")


class Also(NamedTuple):
    """What is shown although it is left out by default: photos of hidden individuals, and sensitive ones."""

    hidden: bool = False
    sensitive: bool = False


def shows_hidden(asset_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a content shows a hidden individual, however it was recognised."""
    return (
        select(_shown.c.id)
        .join(_recognised, _recognised.c.region_id == _shown.c.id)
        .join(_hidden, _hidden.c.id == _recognised.c.individual_id)
        .where(_shown.c.asset_id == asset_id, _hidden.c.hidden.is_(True))
        .exists()
    )


def photos_of_hidden(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    """Return those of the photos that show a hidden individual."""
    found: set[int] = set()
    for some in chunks(photo_ids, _KEYS):
        chosen = photo.c.id.in_(some)
        statement = select(photo.c.id).where(chosen, shows_hidden(photo.c.primary_asset_id))
        found.update(connection.execute(statement).scalars())
    return found
