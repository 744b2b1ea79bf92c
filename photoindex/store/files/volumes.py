"""Volumes and roots: where originals are stored, and which folders the user added."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from photoindex.store.engine.database import new_id
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.schema.tables import file, folder, root, volume


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One volume: `identity` survives remounts, `mount_point` is where it was last seen."""

    id: int
    identity: str
    label: str
    mount_point: bytes
    file_system: str
    last_seen_at: float


@dataclass(frozen=True, slots=True)
class RootRow:
    """One root: `path` is relative to its volume's mount point."""

    id: int
    volume_id: int
    path: bytes
    excludes: tuple[str, ...]
    follow_symlinks: bool
    scanned_at: float | None


def all_volumes(connection: Connection) -> list[VolumeRow]:
    """Return every known volume."""
    columns = (
        volume.c.id,
        volume.c.identity,
        volume.c.label,
        volume.c.mount_point,
        volume.c.file_system,
        volume.c.last_seen_at,
    )
    return [VolumeRow(*row) for row in connection.execute(select(*columns).order_by(volume.c.id))]


def ensure_volume(connection: Connection, *, identity: str, label: str, mount_point: bytes, file_system: str) -> int:
    """Return the id of the volume with this identity; create it, or update where it is mounted."""
    now = time.time()
    found = connection.execute(select(volume.c.id).where(volume.c.identity == identity)).scalar()
    values: dict[str, Any] = {"mount_point": mount_point, "file_system": file_system, "last_seen_at": now}
    if found is not None:
        connection.execute(update(volume).where(volume.c.id == found).values(**values))
        return int(found)
    made = connection.execute(insert(volume).values(identity=identity, label=label, **values))
    return new_id(made)


def rebind_volume(
    connection: Connection, volume_id: int, *, identity: str, mount_point: bytes, file_system: str
) -> None:
    """Change the identity of a volume whose files were recognised on a new disk or server."""
    connection.execute(
        update(volume)
        .where(volume.c.id == volume_id)
        .values(identity=identity, mount_point=mount_point, file_system=file_system, last_seen_at=time.time())
    )


def all_roots(connection: Connection) -> list[RootRow]:
    """Return every root, in the order of addition."""
    columns = (root.c.id, root.c.volume_id, root.c.path, root.c.excludes, root.c.follow_symlinks, root.c.scanned_at)
    return [
        RootRow(row.id, row.volume_id, row.path, tuple(row.excludes), row.follow_symlinks, row.scanned_at)
        for row in connection.execute(select(*columns).order_by(root.c.id))
    ]


def add_root(
    connection: Connection, *, volume_id: int, path: bytes, excludes: Sequence[str] = (), follow_symlinks: bool = False
) -> int:
    """Add a root and return its id; roots below the new one are removed, because it covers them."""
    same = [row.id for row in all_roots(connection) if row.volume_id == volume_id and row.path == path]
    if same:
        return same[0]
    inner = [row for row in all_roots(connection) if row.volume_id == volume_id and _below(row.path, path)]
    for row in inner:
        connection.execute(root.delete().where(root.c.id == row.id))
    made = connection.execute(
        insert(root).values(
            volume_id=volume_id,
            path=path,
            excludes=list(excludes),
            follow_symlinks=follow_symlinks,
            added_at=time.time(),
        )
    )
    return new_id(made)


def _below(path: bytes, ancestor: bytes) -> bool:
    return ancestor == b"" or path.startswith(ancestor + b"/")


def change_root(
    connection: Connection, root_id: int, *, excludes: Sequence[str] | None = None, follow_symlinks: bool | None = None
) -> None:
    """Change the scan options of a root; None leaves an option unchanged."""
    values: dict[str, Any] = {}
    if excludes is not None:
        values["excludes"] = list(excludes)
    if follow_symlinks is not None:
        values["follow_symlinks"] = follow_symlinks
    if values:
        connection.execute(update(root).where(root.c.id == root_id).values(**values))


def finish_root(connection: Connection, root_id: int, summary: dict[str, Any]) -> None:
    """Record that a scan of the whole root finished, with its summary."""
    connection.execute(update(root).where(root.c.id == root_id).values(scanned_at=time.time(), summary=summary))


def count_present_files(connection: Connection, volume_id: int) -> int:
    """Return how many files of the volume are recorded as present."""
    statement = (
        select(func.count())
        .select_from(file.join(folder))
        .where(folder.c.volume_id == volume_id, file.c.state == "present")
    )
    return int(connection.execute(statement).scalar_one())


def has_present_file_below(connection: Connection, volume_id: int, path: bytes) -> bool:
    """Return whether any file in or below a folder (relative to the mount point) is recorded as present."""
    statement = (
        select(file.c.id)
        .select_from(file.join(folder))
        .where(folder_is_within(Location(volume_id, path)), file.c.state == "present")
        .limit(1)
    )
    return connection.execute(statement).first() is not None


def count_present_files_below(connection: Connection, volume_id: int, path: bytes) -> int:
    """Return how many files in or below a folder (relative to the mount point) are recorded as present."""
    statement = (
        select(func.count())
        .select_from(file.join(folder))
        .where(folder_is_within(Location(volume_id, path)), file.c.state == "present")
    )
    return int(connection.execute(statement).scalar_one())


def sample_files(connection: Connection, volume_id: int, limit: int) -> list[tuple[bytes, int, int]]:
    """Return up to `limit` present files of a volume as (path relative to the mount point, size, mtime_ns)."""
    statement = (
        select(folder.c.path, file.c.name, file.c.size_bytes, file.c.mtime_ns)
        .select_from(file.join(folder))
        .where(folder.c.volume_id == volume_id, file.c.state == "present")
        .order_by(func.random())
        .limit(limit)
    )
    return [
        (row.path + b"/" + row.name if row.path else row.name, row.size_bytes, row.mtime_ns)
        for row in connection.execute(statement)
    ]
