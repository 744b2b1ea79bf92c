"""Counts, dates and covers of individuals, kept so that a list of people need not read every face.

A summary is removed when anything that it depends on changes, and made again when it is next needed. Only faces in the
contents that represent photos count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    cast,
    delete,
    distinct,
    func,
    literal,
    select,
)

from photoindex.domain.people.values import How
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import as_parameter, is_given, upsert
from photoindex.store.schema.tables import asset, assignment, individual, individual_summary, photo, region

_KEYS = 500
_LARGE_PX = 256.0
_SHARP = 300.0
_PROFILE_DEGREES = 90.0
_QUALITY_STEPS = 10_000
_ID_FACTOR = 1 << 40
"""Above every region id, so that one number orders regions by quality, then by id."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list says about one individual.

    faces, photos: how many faces, and photos with them, in the contents that represent photos; photos whose files are
    missing count too. confirmed: those faces that a person confirmed or named in metadata. first_at, last_at: ISO 8601
    local wall time of the first and last photo; times of files count only where there are no others. cover_id: the region
    that shows it best; None without faces. A person's own choice is in `IndividualRow.cover_id`.
    """

    faces: int = 0
    confirmed: int = 0
    photos: int = 0
    first_at: str | None = None
    last_at: str | None = None
    cover_id: int | None = None


_FIELDS = tuple(field.name for field in fields(Summary))
_kept: Select[Any] = select(individual_summary.c.individual_id, *(individual_summary.c[name] for name in _FIELDS))
_without_summary = (
    select(individual.c.id)
    .outerjoin(individual_summary, individual_summary.c.individual_id == individual.c.id)
    .where(individual_summary.c.individual_id.is_(None))
)
_is_unnamed = individual.c.name.is_(None) & ~individual.c.ignored


def of(connection: Connection, individual_ids: Sequence[int]) -> dict[int, Summary]:
    """Return id -> summary for all these individuals. Nothing is stored; see `make_missing`."""
    found: dict[int, Summary] = {}
    for chunk in chunks(individual_ids, _KEYS):
        kept = connection.execute(_kept.where(individual_summary.c.individual_id.in_(chunk)))
        found.update((row[0], Summary(*row[1:])) for row in kept)
    found.update(_made(connection, [one for one in individual_ids if one not in found]))
    return found


def largest_unnamed(connection: Connection, limit: int) -> list[int]:
    """Return the ids of the groups without a name that have most faces, largest first; strangers are left out."""
    new = _made(connection, list(connection.execute(_without_summary.where(_is_unnamed)).scalars()))
    largest = (
        select(individual_summary.c.faces, individual_summary.c.individual_id)
        .join(individual, individual.c.id == individual_summary.c.individual_id)
        .where(_is_unnamed, individual_summary.c.faces > 0)
        .order_by(individual_summary.c.faces.desc(), individual_summary.c.individual_id)
        .limit(limit)
    )
    found = [(-row.faces, row.individual_id) for row in connection.execute(largest)]
    found += [(-one.faces, individual_id) for individual_id, one in new.items() if one.faces]
    return [individual_id for _, individual_id in sorted(found)[:limit]]


def are_missing(connection: Connection) -> bool:
    """Return whether an individual has no summary yet."""
    return connection.execute(_without_summary.limit(1)).first() is not None


def make_missing(connection: Connection) -> None:
    """Make and store the summaries of all individuals that have none."""
    stored = upsert(individual_summary).on_conflict_do_nothing()
    for chunk in chunks(list(connection.execute(_without_summary).scalars()), _KEYS):
        made = _made(connection, chunk)
        rows = [dict(zip(_FIELDS, astuple(one), strict=True), individual_id=key) for key, one in made.items()]
        connection.execute(stored, rows)


def forget(connection: Connection, individual_ids: Iterable[int]) -> None:
    """Remove the summaries of these individuals; call it whenever their faces change."""
    for chunk in chunks(sorted(set(individual_ids)), _KEYS):
        connection.execute(delete(individual_summary).where(individual_summary.c.individual_id.in_(chunk)))


_of_asset = delete(individual_summary).where(
    individual_summary.c.individual_id.in_(
        select(assignment.c.individual_id)
        .join(region, region.c.id == assignment.c.region_id)
        .where(region.c.asset_id == bindparam("wanted_asset"))
    )
)


def forget_of_asset(connection: Connection, asset_id: int) -> None:
    """Remove the summaries of the individuals in a content; call it when its photo or its time changes."""
    connection.execute(_of_asset, {"wanted_asset": asset_id})


_of_photos = delete(individual_summary).where(
    individual_summary.c.individual_id.in_(
        select(assignment.c.individual_id)
        .join(region, region.c.id == assignment.c.region_id)
        .join(asset, asset.c.id == region.c.asset_id)
        .where(is_given(asset.c.photo_id, "photo_ids"))
    )
)


def forget_of_photos(connection: Connection, photo_ids: Collection[int]) -> None:
    """Remove the summaries of the individuals in all contents of photos; call it when others may represent them."""
    connection.execute(_of_photos, {"photo_ids": as_parameter(photo_ids)})


def forget_of_assets(connection: Connection, asset_ids: Select[tuple[int]]) -> None:
    """Remove the summaries of the individuals in the contents that a query selects, like `forget_of_asset`."""
    theirs = (
        select(assignment.c.individual_id)
        .join(region, region.c.id == assignment.c.region_id)
        .where(region.c.asset_id.in_(asset_ids))
    )
    connection.execute(delete(individual_summary).where(individual_summary.c.individual_id.in_(theirs)))


def _up_to(column: ColumnElement[Any], most: float) -> ColumnElement[Any]:
    """Return a number as a share of `most`, 0 to 1; 0 where it is unknown."""
    return func.coalesce(case((column > most, 1.0), else_=column / most), 0.0)


_is_confirmed = case((assignment.c.how != How.CLUSTER.value, 1), else_=0)
_quality = (
    2.0 * _is_confirmed
    + _up_to(region.c.size_px, _LARGE_PX)
    + 0.5 * _up_to(region.c.sharpness, _SHARP)
    + case((region.c.yaw.is_(None), 0.0), else_=1.0 - _up_to(func.abs(region.c.yaw), _PROFILE_DEGREES))
)
"""How well a face shows somebody: confirmed, large, sharp, frontal; 0 to 4.5."""
_best = func.max(cast(_quality * _QUALITY_STEPS, BigInteger) * literal(_ID_FACTOR, BigInteger) + region.c.id)
_own_time = case((func.coalesce(photo.c.taken_at_source, "") != "mtime", photo.c.taken_at))
_all: Select[Any] = (
    select(
        assignment.c.individual_id, func.count(), func.sum(_is_confirmed), func.count(distinct(photo.c.id)),
        func.coalesce(func.min(_own_time), func.min(photo.c.taken_at)),
        func.coalesce(func.max(_own_time), func.max(photo.c.taken_at)), _best,
    )
    .join(region, region.c.id == assignment.c.region_id)
    .join(photo, photo.c.primary_asset_id == region.c.asset_id)
    .group_by(assignment.c.individual_id)
)  # fmt: skip


def _made(connection: Connection, individual_ids: Sequence[int]) -> dict[int, Summary]:
    """Return summaries made from the faces."""
    made = dict.fromkeys(individual_ids, Summary())
    for chunk in chunks(individual_ids, _KEYS):
        for row in connection.execute(_all.where(assignment.c.individual_id.in_(chunk))):
            faces, confirmed, photos, first_at, last_at, best = row[1:]
            made[row[0]] = Summary(faces, confirmed, photos, first_at, last_at, best % _ID_FACTOR)
    return made
