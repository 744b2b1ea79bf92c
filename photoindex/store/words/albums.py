"""Albums: photos in an order, made by a person or read from what a library was exported as."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, literal, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.journal.journal import Change, Row, rows_as_changes, stored_row, updates_as_changes
from photoindex.store.photos.assets import SUPERSEDED
from photoindex.store.schema.tables import album, album_asset, asset, photo
from photoindex.text import fold

OWN, TAKEOUT, APPLE, FOLDER = "own", "takeout", "apple", "folder"
KINDS = (OWN, TAKEOUT, APPLE, FOLDER)
"""Kinds of albums, a person's own first."""
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """One album. origin: where a read album comes from. cover_id: the content shown for it, None for the first one."""

    id: int
    kind: str
    name: str
    origin: str
    cover_id: int | None


@dataclass(frozen=True, slots=True)
class AlbumSummary:
    """An album with its number of photos, and when the first and the last one were taken."""

    album: AlbumRow
    photos: int
    first_at: str | None
    last_at: str | None


_columns = (album.c.id, album.c.kind, album.c.name, album.c.origin, album.c.cover_id)


def called(connection: Connection, name: str) -> list[AlbumRow]:
    """Return the albums of a name, of all kinds; case and accents are ignored."""
    rows = connection.execute(select(*_columns).where(album.c.name_key == fold(name)))
    return sorted((AlbumRow(*row) for row in rows), key=lambda one: (KINDS.index(one.kind), one.origin, one.id))


def summaries(connection: Connection, kinds: Collection[str]) -> list[AlbumSummary]:
    """Return the albums of some kinds, by kind and name; albums without photos too."""
    held = (
        select(album_asset.c.album_id, asset.c.photo_id)
        .distinct()
        .join(asset, asset.c.id == album_asset.c.asset_id)
        .subquery()
    )
    statement = (
        select(*_columns, func.count(held.c.photo_id), func.min(photo.c.taken_at), func.max(photo.c.taken_at))
        .outerjoin(held, held.c.album_id == album.c.id)
        .outerjoin(photo, photo.c.id == held.c.photo_id)
        .where(album.c.kind.in_(kinds))
        .group_by(album.c.id)
        .order_by(album.c.name_key, album.c.origin, album.c.id)
    )
    found = [AlbumSummary(AlbumRow(*row[:5]), *row[5:]) for row in connection.execute(statement)]
    return sorted(found, key=lambda one: KINDS.index(one.album.kind))


def photos_of(connection: Connection, album_id: int) -> list[int]:
    """Return the photos of an album in its order."""
    statement = (
        select(asset.c.photo_id)
        .join(album_asset, album_asset.c.asset_id == asset.c.id)
        .where(album_asset.c.album_id == album_id)
        .group_by(asset.c.photo_id)
        .order_by(func.min(album_asset.c.position), asset.c.photo_id)
    )
    return list(connection.execute(statement).scalars())


def first_photo(connection: Connection, album_id: int) -> int | None:
    """Return the first photo of an album, None if it has none."""
    statement = select(asset.c.photo_id).join(album_asset, album_asset.c.asset_id == asset.c.id)
    first = statement.where(album_asset.c.album_id == album_id).order_by(album_asset.c.position, asset.c.photo_id)
    return connection.execute(first.limit(1)).scalar()


def albums_of_photo(connection: Connection, photo_id: int) -> list[AlbumRow]:
    """Return the albums that a photo is in."""
    contents = select(asset.c.id).where(asset.c.photo_id == photo_id)
    held = select(album_asset.c.album_id).where(album_asset.c.asset_id.in_(contents))
    rows = connection.execute(select(*_columns).where(album.c.id.in_(held)).order_by(album.c.name_key))
    return sorted((AlbumRow(*row) for row in rows), key=lambda one: KINDS.index(one.kind))


def create(connection: Connection, name: str) -> tuple[AlbumRow, Change]:
    """Add a person's own album without photos; return it with the change for the journal."""
    values = {"kind": OWN, "name": name, "name_key": fold(name), "origin": "", "created_at": time.time()}
    album_id = new_id(connection.execute(insert(album).values(values)))
    key: Row = {"id": album_id}
    change = Change(album.name, key, before=None, after=stored_row(connection, album, key))
    return AlbumRow(album_id, OWN, name, "", None), change


def remove(connection: Connection, album_id: int) -> Iterator[Change]:
    """Remove an album with its places for photos."""
    for table, chosen in ((album_asset, album_asset.c.album_id == album_id), (album, album.c.id == album_id)):
        yield from rows_as_changes(connection, table, select(table).where(chosen))
        connection.execute(delete(table).where(chosen))


def set_values(connection: Connection, album_id: int, **values: str | int | None) -> Iterator[Change]:
    """Change columns of an album, such as its name or cover."""
    chosen = album.c.id == album_id
    yield from list(updates_as_changes(connection, album, select(album).where(chosen), values))
    connection.execute(album.update().where(chosen).values(values))


def add_photos(connection: Connection, album_id: int, photo_ids: Sequence[int], done: set[int]) -> Iterator[Change]:
    """Put photos at the end of an album, by the time they were taken; `done` receives those that were not in it.

    Each chunk is written when its first change is consumed.
    """
    now = time.time()
    inside = select(asset.c.photo_id).join(album_asset, album_asset.c.asset_id == asset.c.id)
    known = set(connection.execute(inside.where(album_asset.c.album_id == album_id)).scalars())
    wanted = _by_time(connection, [one for one in photo_ids if one not in known])
    last = select(func.coalesce(func.max(album_asset.c.position), 0.0)).where(album_asset.c.album_id == album_id)
    position = float(connection.execute(last).scalar_one())
    for some in chunks(wanted, _CHUNK):
        places = {photo_id: position + place for place, photo_id in enumerate(some, 1)}
        position += len(some)
        rows: list[Row] = [
            {"album_id": album_id, "asset_id": row.id, "position": places[row.photo_id], "at": now}
            for row in connection.execute(_contents(some).where(asset.c.role != SUPERSEDED))
        ]
        done.update(some)
        connection.execute(insert(album_asset), rows)
        yield from (Change(album_asset.name, _key(row), before=None, after=row) for row in rows)


def remove_photos(connection: Connection, album_id: int, photo_ids: Sequence[int], done: set[int]) -> Iterator[Change]:
    """Take photos out of an album; `done` receives those that were in it."""
    for some in chunks(photo_ids, _CHUNK):
        contents = _contents(some)
        chosen = album_asset.c.album_id == album_id, album_asset.c.asset_id.in_(contents.with_only_columns(asset.c.id))
        changes = list(rows_as_changes(connection, album_asset, select(album_asset).where(*chosen)))
        held = select(album_asset.c.asset_id).where(*chosen)
        done.update(connection.execute(select(asset.c.photo_id).where(asset.c.id.in_(held))).scalars())
        connection.execute(delete(album_asset).where(*chosen))
        yield from changes


def arrange(connection: Connection, album_id: int, photo_ids: Sequence[int]) -> Iterator[Change]:
    """Give the photos of an album this order; `photo_ids` are all of them."""
    places = {photo_id: float(place) for place, photo_id in enumerate(photo_ids, 1)}
    contents = select(album_asset.c.asset_id, asset.c.photo_id).join(asset, asset.c.id == album_asset.c.asset_id)
    found = connection.execute(contents.where(album_asset.c.album_id == album_id))
    photos = {row.asset_id: row.photo_id for row in found}
    moved = []
    for held in rows_as_changes(connection, album_asset, select(album_asset).where(album_asset.c.album_id == album_id)):
        after = {**(held.before or {}), "position": places[photos[held.key["asset_id"]]]}
        if after != held.before:
            moved.append(replace(held, after=after))
    if moved:
        chosen = album_asset.c.album_id == album_id, album_asset.c.asset_id == bindparam("moved")
        values = [{"moved": one.key["asset_id"], "place": (one.after or {})["position"]} for one in moved]
        connection.execute(album_asset.update().where(*chosen).values(position=bindparam("place")), values)
    yield from moved


def take_place(connection: Connection, *, of_photo: int, photo_id: int) -> Iterator[Change]:
    """Put a photo into a person's albums that another one is in, at the same places, where it is in none of them yet."""
    own = select(album.c.id).where(album.c.kind == OWN)
    inside = select(album_asset.c.album_id, func.min(album_asset.c.position).label("position"))
    inside = inside.join(asset, asset.c.id == album_asset.c.asset_id).group_by(album_asset.c.album_id)
    known = connection.execute(inside.where(asset.c.photo_id == photo_id)).all()
    missing = album_asset.c.album_id.in_(own), album_asset.c.album_id.not_in([one.album_id for one in known])
    places = connection.execute(inside.where(asset.c.photo_id == of_photo, *missing)).all()
    contents = connection.execute(_contents([photo_id]).where(asset.c.role != SUPERSEDED)).all()
    now = time.time()
    rows: list[Row] = [
        {"album_id": place.album_id, "asset_id": one.id, "position": place.position, "at": now}
        for place in places
        for one in contents
    ]
    if rows:
        connection.execute(insert(album_asset), rows)
    yield from (Change(album_asset.name, _key(row), before=None, after=row) for row in rows)


def copy(connection: Connection, *, source: int, target: int) -> None:
    """Put a content into the albums of the one that it replaced in a file, at the same places."""
    columns = ["album_id", "asset_id", "position", "at"]
    rows = select(album_asset.c.album_id, literal(target), album_asset.c.position, album_asset.c.at)
    rows = rows.where(album_asset.c.asset_id == source)
    connection.execute(upsert(album_asset).from_select(columns, rows).on_conflict_do_nothing())


def _key(row: Row) -> Row:
    return {name: row[name] for name in ("album_id", "asset_id")}


def _by_time(connection: Connection, photo_ids: Sequence[int]) -> list[int]:
    taken: dict[int, str] = {}
    for some in chunks(photo_ids, _CHUNK):
        chosen = photo.c.id.in_(numbers(some))
        taken |= {
            row.id: row.taken_at or "~"
            for row in connection.execute(select(photo.c.id, photo.c.taken_at).where(chosen))
        }
    return sorted(taken, key=lambda photo_id: (taken[photo_id], photo_id))


def _contents(photo_ids: Sequence[int]) -> Select[tuple[int, int]]:
    return select(asset.c.id, asset.c.photo_id).where(asset.c.photo_id.in_(numbers(photo_ids)))
