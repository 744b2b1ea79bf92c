"""Albums that come with the originals: those of Google Takeout and of Apple's exports, and folders."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, func, insert, literal_column, select, update

from photoindex.paths import to_text
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import new_id
from photoindex.store.engine.path_columns import path_bytes
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import as_parameter, is_given
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.schema.tables import (
    album,
    album_asset,
    asset,
    file,
    folder,
    photo,
    sidecar,
    sidecar_part,
    volume,
)
from photoindex.store.words.albums import APPLE, FOLDER, TAKEOUT
from photoindex.text import fold, without_stray_bytes
from photoindex.types import SidecarKind

_CHUNK = 500
_PART_OF_EXPORT = re.compile(rb".*\d+\D+\d+", re.DOTALL)
"""The folders that the parts of an export are unpacked to: `iCloud Photos Part 1 of 6`."""
_CHANGED = (file.c.state.in_(["present", "missing"]), file.c.asset_id.is_not(None))


# Literals and no parameters, because the statement goes to the driver without those of SQLAlchemy.
_contents: Select[Any] = (
    select(
        file.c.folder_id, func.coalesce(photo.c.taken_at, literal_column("'~'")), path_bytes(file.c.name), file.c.asset_id
    )
    .join(asset, asset.c.id == file.c.asset_id)
    .join(photo, photo.c.id == asset.c.photo_id)
    .where(is_given(file.c.folder_id, "folder_ids"), file.c.state.in_([literal_column("'present'"), literal_column("'missing'")]))
)  # fmt: skip


def refresh_folders(connection: Connection, folder_ids: Sequence[int]) -> None:
    """Bring the albums of folders up to date; each has Takeout's title, else the folder's name. Idempotent."""
    about = (
        select(file.c.folder_id, sidecar.c.title)
        .join(file, file.c.id == sidecar.c.file_id)
        .where(
            file.c.folder_id.in_(folder_ids), file.c.state == "present",
            sidecar.c.kind == SidecarKind.TAKEOUT_ALBUM.value,
        )
        .order_by(file.c.id.desc())
    )  # fmt: skip
    titles = {row.folder_id: row.title for row in connection.execute(about)}
    contents: dict[int, list[tuple[Any, ...]]] = {folder_id: [] for folder_id in folder_ids}
    for folder_id, *place in engine_of(connection).fetch_plain(connection, _contents, as_parameter(folder_ids)):
        contents[folder_id].append(tuple(place))
    folders = select(folder.c.id, folder.c.path, folder.c.volume_id, volume.c.label).join(volume)
    found = []
    for row in connection.execute(folders.where(folder.c.id.in_(folder_ids))):
        name = titles.get(row.id) or _text(os.path.basename(row.path) or row.label.encode())
        kind = TAKEOUT if row.id in titles else FOLDER
        ids = [asset_id for _taken_at, _name, asset_id in sorted(contents[row.id])]
        found.append(_Album(kind, name, origin_of(row.volume_id, row.path), ids))
    _store(connection, found)


def refresh_lists(connection: Connection) -> None:
    """Bring the albums listed in Apple's exports up to date: files in the same part of the export, else in other parts."""
    statement = (
        select(file.c.id, file.c.name, folder.c.path, folder.c.volume_id)
        .join(sidecar, sidecar.c.file_id == file.c.id)
        .join(folder, folder.c.id == file.c.folder_id)
        .where(sidecar.c.kind == SidecarKind.APPLE_ALBUM.value, file.c.state == "present")
    )
    origins = set()
    for row in connection.execute(statement).all():
        origin = origin_of(row.volume_id, os.path.join(row.path, row.name))
        origins.add(origin)
        contents = _listed(connection, row.id, Location(row.volume_id, row.path))
        _store(connection, [_Album(APPLE, _text(row.name.rpartition(b".")[0]), origin, contents)])
    known = select(album.c.id, album.c.origin).where(album.c.kind == APPLE)
    for album_id, origin in connection.execute(known).all():
        if origin not in origins:
            connection.execute(delete(album).where(album.c.id == album_id))


def _listed(connection: Connection, list_id: int, around: Location) -> list[int]:
    """Return the contents of the files that a list names, in its order; around: the folder of the list."""
    parts = select(sidecar_part.c.name, sidecar_part.c.facts).where(sidecar_part.c.sidecar_id == list_id)
    places = {one.name.encode(): one.facts["place"] for one in connection.execute(parts)}
    part = os.path.dirname(around.path)
    found = _named(connection, Location(around.volume_id, part), places)
    if _PART_OF_EXPORT.fullmatch(os.path.basename(part)):
        missing = {name: place for name, place in places.items() if name not in found}
        found |= _named(connection, Location(around.volume_id, os.path.dirname(part)), missing)
    ordered = sorted(found, key=lambda name: places[name])
    return list(dict.fromkeys(asset_id for name in ordered for asset_id in found[name]))


def _named(connection: Connection, below: Location, names: Mapping[bytes, int]) -> dict[bytes, list[int]]:
    """Return the contents of the files in or below a folder by the names that are looked for."""
    found: dict[bytes, list[int]] = {}
    folders = select(folder.c.id).where(folder_is_within(below))
    for some in chunks(sorted(names), _CHUNK):
        chosen = file.c.name.in_(some), file.c.folder_id.in_(folders)
        rows = connection.execute(select(file.c.name, file.c.asset_id).where(*chosen, *_CHANGED).order_by(file.c.id))
        for row in rows:
            found.setdefault(row.name, []).append(row.asset_id)
    return found


class _Album(NamedTuple):
    kind: str
    name: str
    origin: str
    contents: Sequence[int]
    """In order; without any the album is removed."""


_positions: Select[Any] = select(album_asset.c.album_id, album_asset.c.asset_id, album_asset.c.position).where(
    is_given(album_asset.c.album_id, "album_ids")
)


def _store(connection: Connection, albums: Sequence[_Album]) -> None:
    """Write albums with their contents; kinds that come from the same place replace each other."""
    here = album.c.origin.in_([one.origin for one in albums]), album.c.kind.in_([APPLE, FOLDER, TAKEOUT])
    known: dict[tuple[bool, str], Any] = {}
    for row in connection.execute(select(album.c.id, album.c.kind, album.c.name, album.c.origin).where(*here)):
        known.setdefault((row.kind == APPLE, row.origin), row)
    before: dict[int, dict[int, float]] = {row.id: {} for row in known.values()}
    stored = engine_of(connection).fetch_plain(connection, _positions, as_parameter(before))
    for album_id, asset_id, position in stored:
        before[album_id][asset_id] = position
    rows, now = [], time.time()
    for one in albums:
        if not one.contents:
            kinds = [APPLE] if one.kind == APPLE else [FOLDER, TAKEOUT]
            connection.execute(delete(album).where(album.c.origin == one.origin, album.c.kind.in_(kinds)))
            continue
        album_id = _named_album(connection, one, known.get((one.kind == APPLE, one.origin)), now)
        changed, new = _differences(before.get(album_id, {}), one.contents)
        for some in chunks(changed, _CHUNK):
            of_some = album_asset.c.album_id == album_id, album_asset.c.asset_id.in_(some)
            connection.execute(delete(album_asset).where(*of_some))
        rows += [{"album_id": album_id, "asset_id": asset_id, "position": at, "at": now} for asset_id, at in new]
    if rows:
        connection.execute(insert(album_asset), rows)


def _named_album(connection: Connection, one: _Album, row: Any, now: float) -> int:
    values = {"kind": one.kind, "name": one.name, "name_key": fold(one.name)}
    if row is None:
        return new_id(connection.execute(insert(album).values(origin=one.origin, created_at=now, **values)))
    if (row.kind, row.name) != (one.kind, one.name):
        connection.execute(update(album).where(album.c.id == row.id).values(**values))
    return int(row.id)


def _differences(
    before: Mapping[int, float], contents: Sequence[int]
) -> tuple[Sequence[int], Sequence[tuple[int, float]]]:
    """Return the contents that leave an album or move in it, and the places of those that come or move."""
    wanted = {asset_id: float(place) for place, asset_id in enumerate(dict.fromkeys(contents), 1)}
    if wanted == before:
        return (), ()
    changed = [asset_id for asset_id in before if before[asset_id] != wanted.get(asset_id)]
    return changed, [(asset_id, place) for asset_id, place in wanted.items() if before.get(asset_id) != place]


def origin_of(volume_id: int, path: bytes) -> str:
    """Return the origin of the album of a folder, or of a list in a file; path: relative to the volume's mount point."""
    return f"{volume_id}:/{_text(path)}"


def _text(path: bytes) -> str:
    return without_stray_bytes(to_text(path))


def left_without(connection: Connection, photo_id: int, going: Collection[int]) -> list[str]:
    """Return the names of Takeout's albums that a photo is in only by files that are about to go."""
    chosen = select(folder.c.volume_id, folder.c.path, file.c.id).join(folder, folder.c.id == file.c.folder_id)
    of_photo = chosen.join(asset, asset.c.id == file.c.asset_id).where(asset.c.photo_id == photo_id)
    files = connection.execute(of_photo.where(file.c.state == "present")).all()
    folders = {origin_of(one.volume_id, one.path) for one in files if one.id in going}
    folders -= {origin_of(one.volume_id, one.path) for one in files if one.id not in going}
    named = select(album.c.name).where(album.c.kind == TAKEOUT, album.c.origin.in_(folders)).order_by(album.c.name)
    return list(connection.execute(named).scalars())
