"""Locations of files and folders on a volume, and the file rows at them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from photoindex import paths
from photoindex.store.engine.path_columns import is_below, path_bytes, starts_with, stored_text
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import composed, folded, folds_to, glob
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, volume
from photoindex.text import fold


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file or folder lies: `path` is relative to the volume's mount point, b"" for the mount point itself."""

    volume_id: int
    path: bytes


def file_at(connection: Connection, location: Location) -> int | None:
    """Return the id of the file row at `location`, None if there is none."""
    folder_path, name = posixpath.split(location.path)
    statement = (
        select(file.c.id)
        .join(folder, folder.c.id == file.c.folder_id)
        .where(folder.c.volume_id == location.volume_id, folder.c.path == folder_path, file.c.name == name)
    )
    found = connection.execute(statement).scalar()
    return None if found is None else int(found)


def folder_is_within(location: Location) -> ColumnElement[bool]:
    """Return the condition that a folder row is at or below `location`; uses the index on the path."""
    same_volume = folder.c.volume_id == location.volume_id
    return same_volume if location.path == b"" else and_(same_volume, is_below(folder.c.path, location.path))


def files_below(connection: Connection, location: Location) -> int:
    """Return how many file rows are in or below the folder at `location`."""
    statement = select(func.count()).select_from(file.join(folder)).where(folder_is_within(location))
    return int(connection.execute(statement).scalar_one())


class NamedFile(NamedTuple):
    """A file, the photo it belongs to, None if it was not ingested, and its path where it was last seen."""

    file_id: int
    photo_id: int | None
    path: bytes


def files_named(connection: Connection, name: bytes) -> list[NamedFile]:
    """Return the files with a name: in exactly these bytes, or else in any case, or else with any extension; by id."""
    wanted = fold(paths.to_text(name))
    text = stored_text(file.c.name)
    statement = (
        select(file.c.id, file.c.name, asset.c.photo_id, folder.c.path, volume.c.mount_point)
        .join_from(file, folder)
        .join(volume)
        .outerjoin(asset, asset.c.id == file.c.asset_id)
        .where(file.c.state != "excluded", or_(folds_to(text, wanted), glob(folded(text), f"{_literally(wanted)}.*")))
        .order_by(file.c.id)
    )
    with engine_of(connection).functions(connection):
        rows = connection.execute(statement).all()
    found: tuple[list[NamedFile], ...] = ([], [], [])
    for row in rows:
        whole, stem = (fold(paths.to_text(one)) for one in (row.name, posixpath.splitext(row.name)[0]))
        if wanted in (whole, stem):
            level = 0 if row.name == name else 1 if whole == wanted else 2
            found[level].append(NamedFile(row.id, row.photo_id, join(row.mount_point, row.path, row.name)))
    return next(filter(None, found), [])


def _literally(text: str) -> str:
    """Return a pattern of GLOB that matches only this text."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in text)


def look_alikes(connection: Connection, location: Location) -> list[Location]:
    """Return files and folders of the library that look like `location`: their path is only composed otherwise (Unicode)."""
    if location.path.isascii():
        return []
    wanted = paths.composed(location.path)
    parent, name = posixpath.split(wanted)
    of_volume, path = folder.c.volume_id == location.volume_id, composed(folder.c.path)
    files = select(folder.c.path, file.c.name).join_from(folder, file)
    files = files.where(of_volume, path == parent, composed(file.c.name) == name)
    inside = select(folder.c.path).where(of_volume, or_(path == wanted, starts_with(path_bytes(path), wanted + b"/")))
    levels = wanted.count(b"/") + 1
    with engine_of(connection).functions(connection):
        found = [posixpath.join(*row) for row in connection.execute(files)]
        found += [b"/".join(each.split(b"/")[:levels]) for each in connection.execute(inside).scalars()]
    return [Location(location.volume_id, each) for each in sorted(set(found)) if each != location.path]
