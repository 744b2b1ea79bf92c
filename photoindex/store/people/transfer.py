"""Rows for an export of people, and the rows of this library that an export's lines mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from photoindex.domain.people.values import FIXED, PERSON, How
from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import (
    asset,
    asset_with_repeats,
    assignment,
    individual,
    individuals_apart,
    region,
    rejection,
)

_KEYS = 500


class PlacedFace(NamedTuple):
    """A region of an individual and where it is; how: None for one that is not theirs. Boxes are fractions of the picture."""

    individual_id: int
    region_id: int
    digest: bytes
    frame: int
    x: float
    y: float
    width: float
    height: float
    how: str | None


def exported_ids(connection: Connection, *, kind: str = PERSON) -> list[int]:
    """Return the individuals that a person decided something about, by id."""
    confirmed = select(assignment.c.individual_id).where(assignment.c.how.in_([how.value for how in FIXED]))
    decided = or_(
        individual.c.name.is_not(None), individual.c.born.is_not(None), individual.c.died.is_not(None),
        individual.c.cover_id.is_not(None), individual.c.hidden.is_(True), individual.c.ignored.is_(True),
        individual.c.id.in_(confirmed), individual.c.id.in_(select(rejection.c.individual_id)),
        individual.c.id.in_(select(individuals_apart.c.individual_id)),
        individual.c.id.in_(select(individuals_apart.c.other_id)),
    )  # fmt: skip
    chosen = select(individual.c.id).where(individual.c.kind == kind, decided).order_by(individual.c.id)
    return list(connection.execute(chosen).scalars())


_place = (region.c.id, asset.c.digest, region.c.frame, region.c.x, region.c.y, region.c.width, region.c.height)


def faces_of(connection: Connection, individual_id: int) -> Iterator[PlacedFace]:
    """Yield the confirmed and grouped regions of an individual, by id; those that metadata names are left to metadata."""
    chosen = (
        select(assignment.c.individual_id, *_place, assignment.c.how)
        .join(region, region.c.id == assignment.c.region_id)
        .join(asset, asset.c.id == region.c.asset_id)
        .where(assignment.c.individual_id == individual_id, assignment.c.how != How.METADATA.value)
    )
    for row in connection.execute(chosen.order_by(region.c.id)):
        yield PlacedFace(*row)


def rejections_of(connection: Connection, individual_id: int) -> Iterator[PlacedFace]:
    """Yield the regions that were said not to be an individual, by id."""
    chosen = (
        select(rejection.c.individual_id, *_place)
        .join(region, region.c.id == rejection.c.region_id)
        .join(asset, asset.c.id == region.c.asset_id)
        .where(rejection.c.individual_id == individual_id)
    )
    for row in connection.execute(chosen.order_by(region.c.id)):
        yield PlacedFace(*row, None)


def face_at(connection: Connection, individual_id: int, region_id: int) -> PlacedFace | None:
    """Return one region, named as an individual's; None if it is no more."""
    chosen = select(*_place).join(asset, asset.c.id == region.c.asset_id).where(region.c.id == region_id)
    row = connection.execute(chosen).first()
    return None if row is None else PlacedFace(individual_id, *row, None)


def apart_pairs(connection: Connection) -> list[tuple[int, int]]:
    """Return all pairs of individuals that are not the same."""
    chosen = select(individuals_apart.c.individual_id, individuals_apart.c.other_id)
    return [(row[0], row[1]) for row in connection.execute(chosen.order_by(individuals_apart.c.individual_id))]


def digests_with_repeats(connection: Connection) -> list[bytes]:
    """Return the digests of the contents that may show somebody more than once."""
    chosen = select(asset.c.digest).join(asset_with_repeats, asset_with_repeats.c.asset_id == asset.c.id)
    return list(connection.execute(chosen.order_by(asset.c.id)).scalars())


def assets_of(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    """Return digest -> content; unknown digests are omitted."""
    found: dict[bytes, int] = {}
    for some in chunks(sorted(set(digests)), _KEYS):
        chosen = select(asset.c.digest, asset.c.id).where(asset.c.digest.in_(some))
        found.update((row.digest, row.id) for row in connection.execute(chosen))
    return found


def frames_of(connection: Connection, asset_ids: Iterable[int]) -> dict[int, int]:
    """Return region -> the frame that it is in, for the regions of contents."""
    found: dict[int, int] = {}
    for some in chunks(sorted(set(asset_ids)), _KEYS):
        chosen = select(region.c.id, region.c.frame).where(region.c.asset_id.in_(some))
        found.update((row.id, row.frame) for row in connection.execute(chosen))
    return found
