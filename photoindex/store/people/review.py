"""Groups of faces, and the faces of each that a person should look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, or_, select

from photoindex.domain.people.values import FACE, FIXED, PERSON, How
from photoindex.store.engine.chunks import chunks
from photoindex.store.people.hidden import Also, shows_hidden
from photoindex.store.schema.tables import (
    asset,
    asset_with_repeats,
    assignment,
    individual,
    photo,
    region,
)
from photoindex.store.search.tags import is_sensitive

_KEYS = 500
_TIME_OF_COPY = "mtime"


class GroupRow(NamedTuple):
    """A person, or a group of faces without a name.

    faces: in contents that represent a photo; unreviewed: those of them that only the program assigned. first_at, last_at: ISO 8601 local wall times, of the photos that have one of their own.
    """

    individual_id: int
    name: str | None
    faces: int
    unreviewed: int
    first_at: str | None
    last_at: str | None


class ShownFace(NamedTuple):
    """A face to show. x, y, width, height: fractions of the upright picture, whose digest is BLAKE3.

    taken_at: ISO 8601 local wall time, precise to taken_at_precision. may_repeat: its picture may show somebody more than
    once.
    """

    id: int
    individual_id: int
    photo_id: int
    asset_id: int
    digest: bytes
    x: float
    y: float
    width: float
    height: float
    taken_at: str | None
    taken_at_precision: str | None
    taken_at_source: str | None
    may_repeat: bool


def groups(connection: Connection, also: Also) -> list[GroupRow]:
    """Return everybody with faces who is not ignored, largest first."""
    own_time = case((photo.c.taken_at_source != _TIME_OF_COPY, photo.c.taken_at))
    unreviewed = func.count(case((assignment.c.how == How.CLUSTER.value, 1)))
    statement = (
        select(
            individual.c.id, individual.c.name, func.count(), unreviewed, func.min(own_time), func.max(own_time),
        )
        .join(assignment, assignment.c.individual_id == individual.c.id)
        .join(region, region.c.id == assignment.c.region_id)
        .join(photo, photo.c.primary_asset_id == region.c.asset_id)
        .where(individual.c.kind == PERSON, individual.c.ignored.is_(False), region.c.kind == FACE)
        .group_by(individual.c.id)
        .order_by(func.count().desc(), individual.c.id)
    )  # fmt: skip
    return [GroupRow(*row) for row in connection.execute(_allowed(statement, also))]


def faces(
    connection: Connection,
    individual_ids: Sequence[int],
    *,
    surest: int,
    least_sure: int,
    unreviewed: bool,
    also: Also,
) -> dict[int, list[ShownFace]]:
    """Return individual -> some of their faces: so many of the surest, then so many of the least sure, the least sure last.

    unreviewed: only those that the program alone assigned, the least sure first.
    """
    certainty = func.coalesce(assignment.c.score, 1.0)
    size = func.coalesce(region.c.size_px, 0.0)
    surely = (certainty.desc(), size.desc(), region.c.id)
    count = func.count().over(partition_by=assignment.c.individual_id)
    place = func.row_number().over(partition_by=assignment.c.individual_id, order_by=surely)
    inner = (
        select(region.c.id, place.label("place"), count.label("faces"))
        .join(assignment, assignment.c.region_id == region.c.id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .join(photo, photo.c.primary_asset_id == region.c.asset_id)
        .where(region.c.kind == FACE)
    )
    if unreviewed:
        inner = inner.where(assignment.c.how == How.CLUSTER.value)
    inner = _allowed(inner, also)
    found: defaultdict[int, list[ShownFace]] = defaultdict(list)
    for some in chunks(individual_ids, _KEYS):
        ranked = inner.where(assignment.c.individual_id.in_(some)).subquery()
        chosen = or_(ranked.c.place <= surest, ranked.c.place > ranked.c.faces - least_sure)
        statement = _shown.join(ranked, ranked.c.id == region.c.id).where(chosen)
        order = ranked.c.place.desc() if unreviewed else ranked.c.place
        for row in connection.execute(statement.order_by(order)):
            found[row.individual_id].append(_face(row))
    return dict(found)


def faces_by_id(connection: Connection, region_ids: Sequence[int], also: Also) -> dict[int, ShownFace]:
    """Return id -> face; unknown ids, and faces in photos that are left out, are omitted."""
    statement = _shown.join(individual, individual.c.id == assignment.c.individual_id)
    found: dict[int, ShownFace] = {}
    for some in chunks(region_ids, _KEYS):
        chosen = statement.where(region.c.id.in_(some))
        for row in connection.execute(_allowed(chosen, also)):
            found[row.id] = _face(row)
    return found


def persons_in(connection: Connection, photo_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return photo -> the named persons that a person or a file said are in it; others are omitted.

    Photos that may show somebody more than once are left out.
    """
    statement = (
        select(photo.c.id, individual.c.id.label("individual_id"))
        .join(region, region.c.asset_id == photo.c.primary_asset_id)
        .join(assignment, assignment.c.region_id == region.c.id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .where(individual.c.name.is_not(None), assignment.c.how.in_([how.value for how in FIXED]), ~_may_repeat)
    )
    found: defaultdict[int, set[int]] = defaultdict(set)
    for some in chunks(photo_ids, _KEYS):
        for row in connection.execute(statement.where(photo.c.id.in_(some))):
            found[row.id].add(row.individual_id)
    return dict(found)


_may_repeat = select(asset_with_repeats.c.asset_id).where(asset_with_repeats.c.asset_id == region.c.asset_id).exists()
_shown: Select[Any] = (
    select(
        region.c.id, assignment.c.individual_id, photo.c.id.label("photo_id"), region.c.asset_id, asset.c.digest, region.c.x, region.c.y,
        region.c.width, region.c.height, photo.c.taken_at, photo.c.taken_at_precision, photo.c.taken_at_source,
        _may_repeat.label("may_repeat"),
    )
    .join(assignment, assignment.c.region_id == region.c.id)
    .join(asset, asset.c.id == region.c.asset_id)
    .join(photo, photo.c.primary_asset_id == asset.c.id)
)  # fmt: skip


def _face(row: Any) -> ShownFace:
    return ShownFace(*row)._replace(may_repeat=bool(row.may_repeat))


def _allowed(statement: Select[Any], also: Also) -> Select[Any]:
    if not also.hidden:
        statement = statement.where(individual.c.hidden.is_(False), ~shows_hidden(region.c.asset_id))
    return statement if also.sensitive else statement.where(~is_sensitive())
