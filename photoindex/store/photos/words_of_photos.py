"""All words of photos, resolved: what their files state, what a person said, and what both say of the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from photoindex.domain.people.values import FIXED
from photoindex.domain.time.wall import offset_text, parse_wall
from photoindex.domain.words.carried import POSITION, TEXTS, Words
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers
from photoindex.store.photos import corrections
from photoindex.store.photos.assets import SUPERSEDED
from photoindex.store.schema.tables import (
    album,
    album_asset,
    asset,
    asset_text,
    assignment,
    individual,
    photo,
    region,
)
from photoindex.store.words import photo_tags
from photoindex.store.words.albums import FOLDER
from photoindex.store.words.documents import CAPTION
from photoindex.types import FactValue

_CHUNK = 500


def words_of(connection: Connection, photo_ids: Sequence[int]) -> dict[int, Words]:
    """Return the words of each photo that exists."""
    found: dict[int, Words] = {}
    for some in chunks(sorted(set(photo_ids)), _CHUNK):
        tags = photo_tags.own_of(connection, some)
        said = corrections.of_photos(connection, some)
        albums = _albums(connection, some)
        persons = _persons(connection, some)
        captions = _with_caption(connection, some)
        for row in connection.execute(select(photo).where(photo.c.id.in_(numbers(some)))):
            corrected = said.get(row.id, {})
            facts, sources = facts_of(row, row.sources)
            found[row.id] = Words(
                facts={**{fact: value for fact, value in corrected.items() if fact != "keywords"}, **facts},
                sources={**sources, **dict.fromkeys(corrected, "person")},
                time_confidence=row.taken_at_confidence or 0.0,
                keywords=tuple(row.keywords),
                tags=tuple(one.name for one in tags.get(row.id, ())),
                albums=tuple(albums.get(row.id, ())),
                persons=persons.get(row.id, {}),
                caption=row.id in captions,
            )
    return found


def facts_of(resolved: Row[Any] | Any, sources: dict[str, str]) -> tuple[dict[str, FactValue], dict[str, str]]:
    """Return the facts of `Words` of a resolved photo, those with a value, and their sources."""
    facts: dict[str, FactValue] = {
        fact: value for fact in (*TEXTS, *POSITION) if (value := getattr(resolved, fact)) not in (None, "")
    }
    if resolved.favourite:
        facts["favourite"] = 1
    if resolved.taken_at is not None:
        facts["taken_at"] = _time(resolved.taken_at, resolved.taken_at_precision, resolved.utc_offset_minutes)
    return facts, dict(sources)


_LENGTHS = {"year": 4, "month": 7, "day": 10}


def _time(taken_at: str, precision: str | None, offset_minutes: int | None) -> str:
    """Return a time as a correction writes it: partial if only a part is known, with its offset if that is known."""
    if precision in _LENGTHS:
        return taken_at[: _LENGTHS[precision]]
    wall = parse_wall(taken_at)
    if offset_minutes is None or wall is None or wall.offset_minutes is not None:
        return taken_at
    return taken_at + offset_text(offset_minutes)


def _of_photos(photo_ids: Sequence[int]) -> Any:
    return asset.c.photo_id.in_(numbers(photo_ids))


def _albums(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = connection.execute(
        select(asset.c.photo_id, album.c.name)
        .distinct()
        .join(album_asset, album_asset.c.asset_id == asset.c.id)
        .join(album, album.c.id == album_asset.c.album_id)
        .where(_of_photos(photo_ids), album.c.kind != FOLDER)
        .order_by(album.c.name)
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.photo_id, []).append(row.name)
    return found


def _persons(connection: Connection, photo_ids: Sequence[int]) -> dict[int, dict[int, str]]:
    rows = connection.execute(
        select(asset.c.photo_id, individual.c.id, individual.c.name)
        .distinct()
        .select_from(assignment)
        .join(region, region.c.id == assignment.c.region_id)
        .join(asset, asset.c.id == region.c.asset_id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .where(_of_photos(photo_ids), asset.c.role != SUPERSEDED, assignment.c.how.in_([one.value for one in FIXED]))
        .order_by(individual.c.name, individual.c.id)
    )
    found: dict[int, dict[int, str]] = {}
    for row in rows:
        found.setdefault(row.photo_id, {})[row.id] = row.name or ""
    return found


def _with_caption(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    rows = connection.execute(
        select(photo.c.id)
        .join(asset_text, asset_text.c.asset_id == photo.c.primary_asset_id)
        .where(photo.c.id.in_(numbers(photo_ids)), asset_text.c.kind == CAPTION, asset_text.c.text != "")
    )
    return set(rows.scalars())
