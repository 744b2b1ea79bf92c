"""Locations of files and folders on a volume, and the file rows at them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from photoindex import paths
from photoindex.store.engine.path_columns import is_below, path_bytes, starts_with
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import composed
from photoindex.store.schema.tables import file, folder


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
