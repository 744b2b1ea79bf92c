"""Faces as commands see them: where each is, when it was taken, and who it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import asset, asset_with_repeats, assignment, photo, region, rejection

_KEYS = 500


class FaceRow(NamedTuple):
    """One face. individual_id, how, certainty: None for a face of nobody; certainty: of the grouping, 0 to 1.

    x, y, width, height: fractions of the upright picture. counted: its content represents its photo. taken_at: ISO 8601
    local wall time of the photo, precise to taken_at_precision. score: of the detector, 0 to 1. size_px: of its shorter
    side in the original.
    """

    id: int
    kind: str
    asset_id: int
    photo_id: int
    counted: bool
    individual_id: int | None
    how: str | None
    certainty: float | None
    x: float
    y: float
    width: float
    height: float
    taken_at: str | None
    taken_at_precision: str | None
    taken_at_source: str | None
    score: float | None
    size_px: float | None


_faces: Select[Any] = (
    select(
        region.c.id, region.c.kind, region.c.asset_id, asset.c.photo_id,
        (photo.c.primary_asset_id == region.c.asset_id).label("counted"),
        assignment.c.individual_id, assignment.c.how, assignment.c.score.label("certainty"),
        region.c.x, region.c.y, region.c.width, region.c.height,
        photo.c.taken_at, photo.c.taken_at_precision, photo.c.taken_at_source, region.c.score, region.c.size_px,
    )
    .join(asset, asset.c.id == region.c.asset_id)
    .join(photo, photo.c.id == asset.c.photo_id)
    .outerjoin(assignment, assignment.c.region_id == region.c.id)
)  # fmt: skip


def by_ids(connection: Connection, region_ids: Sequence[int]) -> dict[int, FaceRow]:
    """Return id -> face; unknown ids are omitted."""
    return {row.id: row for row in _among(connection, region.c.id, region_ids)}


def of_individual(connection: Connection, individual_id: int) -> list[FaceRow]:
    """Return all faces of an individual, by id."""
    chosen = _faces.where(assignment.c.individual_id == individual_id).order_by(region.c.id)
    return [_row(row) for row in connection.execute(chosen)]


def of_assets(connection: Connection, asset_ids: Iterable[int]) -> list[FaceRow]:
    """Return all faces of contents."""
    return list(_among(connection, region.c.asset_id, sorted(set(asset_ids))))


def with_repeats(connection: Connection, asset_ids: Iterable[int]) -> set[int]:
    """Return those of some contents that may show somebody more than once."""
    found: set[int] = set()
    wanted = sorted(set(asset_ids))
    for some in chunks(wanted, _KEYS):
        chosen = asset_with_repeats.c.asset_id.in_(some)
        found.update(connection.execute(select(asset_with_repeats.c.asset_id).where(chosen)).scalars())
    return found


def rejected_by(connection: Connection, individual_id: int) -> set[int]:
    """Return the ids of the regions that were said not to be this individual."""
    chosen = select(rejection.c.region_id).where(rejection.c.individual_id == individual_id)
    return set(connection.execute(chosen).scalars())


def primary_assets(connection: Connection, photo_ids: Sequence[int]) -> dict[int, int]:
    """Return photo id -> the content that represents it."""
    found: dict[int, int] = {}
    for some in chunks(photo_ids, _KEYS):
        chosen = select(photo.c.id, photo.c.primary_asset_id).where(photo.c.id.in_(some))
        rows = connection.execute(chosen.where(photo.c.primary_asset_id.is_not(None)))
        found.update((row.id, row.primary_asset_id) for row in rows)
    return found


def _among(connection: Connection, column: ColumnElement[int], values: Sequence[int]) -> Iterator[FaceRow]:
    for some in chunks(values, _KEYS):
        chosen = _faces.where(column.in_(some)).order_by(region.c.id)
        yield from (_row(row) for row in connection.execute(chosen))


def _row(row: Any) -> FaceRow:
    found = FaceRow(*row)
    return found._replace(counted=bool(found.counted))
