"""Albums that come with the originals: those of Google Takeout and of Apple's exports, and folders."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from photoindex.paths import to_text
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import new_id
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


def refresh_folder(connection: Connection, folder_id: int) -> None:
    """Bring the album of a folder's photos up to date; it has Takeout's title, else the folder's name. Idempotent."""
    row = connection.execute(
        select(folder.c.path, folder.c.volume_id, volume.c.label).join(volume).where(folder.c.id == folder_id)
    ).one()
    about = connection.execute(
        select(sidecar.c.title)
        .join(file, file.c.id == sidecar.c.file_id)
        .where(
            file.c.folder_id == folder_id, file.c.state == "present", sidecar.c.kind == SidecarKind.TAKEOUT_ALBUM.value
        )
        .order_by(file.c.id)
    ).first()
    contents = (
        select(file.c.asset_id, file.c.name, photo.c.taken_at)
        .join(asset, asset.c.id == file.c.asset_id)
        .join(photo, photo.c.id == asset.c.photo_id)
        .where(file.c.folder_id == folder_id, *_CHANGED)
    )
    found = sorted(connection.execute(contents), key=lambda one: (one.taken_at or "~", one.name, one.asset_id))
    name = os.path.basename(row.path) or row.label.encode()
    titled = None if about is None else about.title
    kind = FOLDER if about is None else TAKEOUT
    _store(connection, kind, titled or _text(name), origin_of(row.volume_id, row.path), [one.asset_id for one in found])


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
        _store(
            connection,
            APPLE,
            _text(row.name.rpartition(b".")[0]),
            origin,
            _listed(connection, row.id, Location(row.volume_id, row.path)),
        )
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


def _store(connection: Connection, kind: str, name: str, origin: str, contents: Sequence[int]) -> None:
    """Write an album with its contents in order; one without contents is removed."""
    here = album.c.origin == origin, album.c.kind.in_([APPLE] if kind == APPLE else [FOLDER, TAKEOUT])
    known = connection.execute(select(album.c.id, album.c.kind, album.c.name).where(*here)).first()
    if not contents:
        connection.execute(delete(album).where(*here))
        return
    now = time.time()
    values = {"kind": kind, "name": name, "name_key": fold(name)}
    if known is None:
        album_id = new_id(connection.execute(insert(album).values(origin=origin, created_at=now, **values)))
    else:
        album_id = known.id
        if (known.kind, known.name) != (kind, name):
            connection.execute(update(album).where(album.c.id == album_id).values(**values))
    wanted = {asset_id: float(place) for place, asset_id in enumerate(dict.fromkeys(contents), 1)}
    of_album = album_asset.c.album_id == album_id
    stored = select(album_asset.c.asset_id, album_asset.c.position).where(of_album)
    before = {row.asset_id: row.position for row in connection.execute(stored)}
    changed = [asset_id for asset_id in before if before[asset_id] != wanted.get(asset_id)]
    for some in chunks(changed, _CHUNK):
        gone = album_asset.c.asset_id.in_(some)
        connection.execute(delete(album_asset).where(of_album, gone))
    rows = [
        {"album_id": album_id, "asset_id": asset_id, "position": place, "at": now}
        for asset_id, place in wanted.items()
        if before.get(asset_id) != place
    ]
    if rows:
        connection.execute(insert(album_asset), rows)


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
