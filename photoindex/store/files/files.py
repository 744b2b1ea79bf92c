"""Files: the location, state and content of each file."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update

from photoindex.store.engine.statements import as_parameter, is_given
from photoindex.store.schema.tables import asset, file, folder, task, volume


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file with its location: absolute path = mount_point / folder_path / name."""

    id: int
    folder_id: int
    volume_id: int
    mount_point: bytes
    folder_path: bytes
    name: bytes
    size_bytes: int
    mtime_ns: int
    state: str
    asset_id: int | None
    media: bool | None

    @property
    def path(self) -> bytes:
        """The absolute path, at the volume's last known mount point."""
        return join(self.mount_point, self.folder_path, self.name)


def join(mount_point: bytes, folder_path: bytes, name: bytes) -> bytes:
    """Return the absolute path of a file in a folder of a volume."""
    parts = [mount_point.rstrip(b"/"), folder_path, name] if folder_path else [mount_point.rstrip(b"/"), name]
    return b"/".join(parts)


_located = (
    select(
        file.c.id, file.c.folder_id, folder.c.volume_id, volume.c.mount_point, folder.c.path.label("folder_path"), file.c.name,
        file.c.size_bytes, file.c.mtime_ns, file.c.state, file.c.asset_id, file.c.media,
    )
    .select_from(file.join(folder, folder.c.id == file.c.folder_id).join(volume, volume.c.id == folder.c.volume_id))
)  # fmt: skip
_by_id = _located.where(file.c.id == bindparam("file_id"))


def by_ids(connection: Connection, file_ids: Sequence[int]) -> dict[int, FileRow]:
    """Return the rows of these files, by id."""
    rows = connection.execute(_located.where(file.c.id.in_(file_ids))).mappings()
    return {row["id"]: FileRow(**row) for row in rows}


def by_id(connection: Connection, file_id: int) -> FileRow | None:
    """Return one file, None if there is no such id."""
    row = connection.execute(_by_id, {"file_id": file_id}).mappings().first()
    return FileRow(**row) if row else None


_OTHERS_PER_STATE = 4
_FILES_PER_PHOTO = 100
"""Some contents have very many copies (a logo, an empty frame); a hundred thousand must not take quadratic time."""


def elsewhere(connection: Connection, asset_id: int, *, but: int) -> list[FileRow]:
    """Return other files with this content, up to four each that are missing, excluded and present, in this order.

    A file that changed and could not be read since no longer counts as having it.
    """
    others = _located.where(file.c.asset_id == asset_id, file.c.id != but, file.c.media.is_(True)).limit(
        _OTHERS_PER_STATE
    )
    # One query per state, because the index on states does not serve "other than".
    found = [others.where(file.c.state == state) for state in ("missing", "excluded", "present")]
    return [FileRow(**row) for statement in found for row in connection.execute(statement).mappings()]


def is_present_elsewhere(connection: Connection, asset_id: int, *, but: int) -> bool:
    """Return whether a present file other than `but` has this content."""
    others = select(file.c.id).where(
        file.c.asset_id == asset_id, file.c.state == "present", file.c.id != but, file.c.media.is_(True)
    )
    return connection.execute(others.limit(1)).first() is not None


def clear_content(connection: Connection, file_id: int) -> None:
    """Record that the file's current content could not be read; its link to the earlier content remains."""
    connection.execute(update(file).where(file.c.id == file_id).values(media=None, reason=None))


_link = (
    update(file)
    .where(file.c.id == bindparam("file_id"))
    .values(
        asset_id=bindparam("new_asset_id"), media=bindparam("is_media"), reason=bindparam("why"),
        size_bytes=bindparam("size"), mtime_ns=bindparam("mtime"), state="present", missing_since=None,
    )
)  # fmt: skip


def link(
    connection: Connection,
    file_id: int,
    *,
    asset_id: int | None,
    media: bool | None,
    reason: str | None,
    stat: tuple[int, int],
) -> None:
    """Record a file's content, with the size and mtime_ns (`stat`) at which it was read."""
    connection.execute(
        _link,
        {
            "file_id": file_id, "new_asset_id": asset_id, "is_media": media, "why": reason, "size": stat[0],
            "mtime": stat[1],
        },
    )  # fmt: skip


def take_over(connection: Connection, *, kept: int, newcomer: FileRow) -> None:
    """Move the row `kept` to the location of `newcomer` and delete the latter with its tasks: the file was moved."""
    connection.execute(delete(task).where(task.c.subject_kind == "file", task.c.subject_id == newcomer.id))
    connection.execute(delete(file).where(file.c.id == newcomer.id))
    connection.execute(
        update(file)
        .where(file.c.id == kept)
        .values(
            folder_id=newcomer.folder_id, name=newcomer.name, size_bytes=newcomer.size_bytes,
            mtime_ns=newcomer.mtime_ns, state="present", missing_since=None,
        )
    )  # fmt: skip


def forget_vanished(connection: Connection, file_id: int) -> None:
    """Remove the row of a file that vanished before it was ever read; mark one that was read as missing."""
    known = connection.execute(select(file.c.asset_id, file.c.media).where(file.c.id == file_id)).first()
    if known is None:
        return
    connection.execute(
        delete(task).where(task.c.subject_kind == "file", task.c.subject_id == file_id, task.c.state != "done")
    )
    if known.asset_id is None and known.media is None:
        connection.execute(delete(file).where(file.c.id == file_id))
    else:
        mark_missing(connection, file_id)


_numbered = (
    _located.add_columns(
        asset.c.photo_id, func.row_number().over(partition_by=asset.c.photo_id, order_by=file.c.id).label("number")
    )
    .join(asset, asset.c.id == file.c.asset_id)
    .where(is_given(asset.c.photo_id, "photo_ids"))
    .subquery()
)
_of_photos = select(_numbered).where(_numbered.c.number <= _FILES_PER_PHOTO)


def of_photos(connection: Connection, photo_ids: Collection[int]) -> dict[int, list[FileRow]]:
    """Return photo -> up to 100 of its files, of all its contents; photos without are left out."""
    found: dict[int, list[FileRow]] = {}
    for *values, photo_id, _number in connection.execute(_of_photos, {"photo_ids": as_parameter(photo_ids)}):
        found.setdefault(photo_id, []).append(FileRow(*values))
    return found


def mark_missing(connection: Connection, file_id: int) -> None:
    """Mark a file as missing."""
    connection.execute(update(file).where(file.c.id == file_id).values(state="missing", missing_since=time.time()))
