"""Data for choosing among the frames of bursts: when and how each was taken, what the user said of it, known faces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, exists, or_, select, true

from photoindex.domain.people.values import FACE
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers
from photoindex.store.photos.assets import SUPERSEDED
from photoindex.store.schema.tables import asset, assignment, file, photo, region, region_space
from photoindex.store.words import photo_tags, tags

_KEYS = 500
_PHOTOS = 5_000


class BurstPhoto(NamedTuple):
    """A frame of a burst that has a file. taken_at: ISO 8601 local wall time. rating: 0 to 5, -1 rejected, None unknown."""

    id: int
    burst: str
    asset_id: int
    digest: bytes
    taken_at: str | None
    exposure_seconds: float | None
    aperture: float | None
    iso: int | None
    rating: int | None
    favourite: bool
    width: int | None
    height: int | None


class KnownFace(NamedTuple):
    """A face of a content. x, y, width, height: fractions of the upright picture. yaw: degrees, None if unknown.

    points: x and y of five landmarks, the eyes first, as fractions; None for a face that was only marked.
    """

    asset_id: int
    x: float
    y: float
    width: float
    height: float
    yaw: float | None
    individual_id: int | None
    points: tuple[float, ...] | None


_has_file = exists().where(
    asset.c.photo_id == photo.c.id,
    asset.c.role != SUPERSEDED,
    file.c.asset_id == asset.c.id,
    file.c.state == "present",
)
_primary = asset.alias()
_photos: Select[Any] = (
    select(
        photo.c.id, photo.c.burst, photo.c.primary_asset_id, _primary.c.digest, photo.c.taken_at, photo.c.exposure_seconds,
        photo.c.aperture, photo.c.iso, photo.c.rating, photo.c.favourite, photo.c.width, photo.c.height,
    )
    .join(_primary, _primary.c.id == photo.c.primary_asset_id)
    .where(photo.c.burst.is_not(None), photo.c.kind != "video", _has_file)
    .order_by(photo.c.burst, photo.c.taken_at, photo.c.id)
)  # fmt: skip


def all_photos(connection: Connection) -> list[BurstPhoto]:
    """Return the frames of all bursts, by burst, then by time."""
    return [BurstPhoto(*row) for row in connection.execute(_photos)]


def bursts_of_photos(connection: Connection, photo_ids: Sequence[int]) -> dict[int, str]:
    """Return photo -> burst for those of some photos that are in one."""
    found: dict[int, str] = {}
    for some in chunks(photo_ids, _PHOTOS):
        chosen = photo.c.id.in_(numbers(some)), photo.c.burst.is_not(None)
        found.update(
            (row.id, row.burst) for row in connection.execute(select(photo.c.id, photo.c.burst).where(*chosen))
        )
    return found


def faces_of(connection: Connection, asset_ids: Collection[int]) -> dict[int, list[KnownFace]]:
    """Return content -> its faces, found by the model that is in use, or marked in files."""
    statement = (
        select(
            region.c.asset_id, region.c.x, region.c.y, region.c.width, region.c.height, region.c.yaw,
            assignment.c.individual_id, region.c.landmarks,
        )
        .outerjoin(assignment, assignment.c.region_id == region.c.id)
        .outerjoin(region_space, region_space.c.id == region.c.space_id)
        .where(region.c.kind == FACE, region.c.frame == 0)
        .where(or_(region.c.space_id.is_(None), region_space.c.active.is_(true())))
        .order_by(region.c.id)
    )  # fmt: skip
    found: dict[int, list[KnownFace]] = {}
    for some in chunks(sorted(asset_ids), _KEYS):
        for row in connection.execute(statement.where(region.c.asset_id.in_(some))):
            points = None if row[-1] is None else tuple(np.frombuffer(row[-1], "<f4").tolist())
            found.setdefault(row[0], []).append(KnownFace(*row[:-1], points))
    return found


def tagged(connection: Connection, name: str, photo_ids: Sequence[int]) -> set[int]:
    """Return those of some photos that a person gave this tag."""
    known = tags.find(connection, [name]).get(name)
    if known is None:
        return set()
    own = photo_tags.own_of(connection, photo_ids)
    return {photo_id for photo_id, rows in own.items() if known in rows}
