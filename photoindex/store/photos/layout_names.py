"""Names of what photos belong to: their places, the people in them, their albums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, case, select

from photoindex.domain.people.values import PERSON
from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import album, album_asset, asset, assignment, individual, photo, place, region
from photoindex.store.words.albums import KINDS


class PlaceNames(NamedTuple):
    """City and country of a photo's place."""

    city: str
    country: str


def places(connection: Connection, photo_ids: Sequence[int]) -> dict[int, PlaceNames]:
    """Return photo -> its place, for those that have one."""
    statement = select(photo.c.id, place.c.city, place.c.country).join(place, place.c.id == photo.c.place_id)
    rows = connection.execute(statement.where(photo.c.id.in_(numbers(photo_ids))))
    return {row.id: PlaceNames(row.city, row.country) for row in rows}


def people(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return photo -> the names of the people in it, without hidden ones, in the order of the alphabet."""
    statement = (
        select(photo.c.id, individual.c.name)
        .distinct()
        .join(region, region.c.asset_id == photo.c.primary_asset_id)
        .join(assignment, assignment.c.region_id == region.c.id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .where(photo.c.id.in_(numbers(photo_ids)), individual.c.kind == PERSON, individual.c.hidden.is_(False))
        .where(individual.c.name.is_not(None))
        .order_by(photo.c.id, individual.c.name_key)
    )
    found: dict[int, list[str]] = {}
    for photo_id, name in connection.execute(statement):
        found.setdefault(photo_id, []).append(name)
    return found


def albums(connection: Connection, photo_ids: Sequence[int]) -> dict[int, str]:
    """Return photo -> the first of its albums: a person's own before read ones, then by name."""
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    statement = (
        select(asset.c.photo_id, album.c.name)
        .join(album_asset, album_asset.c.asset_id == asset.c.id)
        .join(album, album.c.id == album_asset.c.album_id)
        .where(asset.c.photo_id.in_(numbers(photo_ids)))
        .order_by(case(kinds, value=album.c.kind, else_=len(kinds)), album.c.name_key, album.c.id)
    )
    found: dict[int, str] = {}
    for photo_id, name in connection.execute(statement):
        found.setdefault(photo_id, name)
    return found
