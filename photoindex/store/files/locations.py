"""Locations of files and folders on a volume, and the file rows at them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select

from photoindex.store.engine.path_columns import is_below
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
