"""Files: where each content lies, and what state it is in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from photoindex.store.schema.tables import asset, file, folder, task, volume


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file with its place: absolute path = mount_point / folder_path / name."""

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
        """The absolute path, where the volume was last mounted."""
        return join(self.mount_point, self.folder_path, self.name)


def join(mount_point: bytes, folder_path: bytes, name: bytes) -> bytes:
    """Return the absolute path of a file of a folder of a volume."""
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
    """Return one file, None where it is not known."""
    row = connection.execute(_by_id, {"file_id": file_id}).mappings().first()
    return FileRow(**row) if row else None


OTHERS_LOOKED_AT = 4
NAMES_OF_A_PHOTO = 100
"""Some contents are everywhere (a logo, an empty frame): a hundred thousand copies must not cost their square."""


def elsewhere(connection: Connection, asset_id: int, *, but: int) -> list[FileRow]:
    """Return some other files that hold this content, up to four that are missing or excluded and four that are present.

    A file whose later content could not be read does not hold it any more.
    """
    others = _located.where(file.c.asset_id == asset_id, file.c.id != but, file.c.media.is_(True)).limit(
        OTHERS_LOOKED_AT
    )
    # Named states, because an index on them serves no "other than".
    found = [others.where(file.c.state == state) for state in ("missing", "excluded", "present")]
    return [FileRow(**row) for statement in found for row in connection.execute(statement).mappings()]


def is_present_elsewhere(connection: Connection, asset_id: int, *, but: int) -> bool:
    """Tell whether a present file other than `but` holds this content."""
    others = select(file.c.id).where(
        file.c.asset_id == asset_id, file.c.state == "present", file.c.id != but, file.c.media.is_(True)
    )
    return connection.execute(others.limit(1)).first() is not None


def clear_content(connection: Connection, file_id: int) -> None:
    """Note that what the file holds now could not be read; which photo it was stays known."""
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
    """Say what a file's content is, at the size and mtime_ns at which it was read."""
    connection.execute(
        _link,
        {
            "file_id": file_id, "new_asset_id": asset_id, "is_media": media, "why": reason, "size": stat[0],
            "mtime": stat[1],
        },
    )  # fmt: skip


def take_over(connection: Connection, *, kept: int, newcomer: FileRow) -> None:
    """Move the row `kept` to the place of `newcomer`, whose own row and tasks go: the file was moved or renamed."""
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
    """Remove the row of a file that was gone before it was ever read; mark one that was read as missing."""
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


_of_photo = (
    _located.join(asset, asset.c.id == file.c.asset_id)
    .where(asset.c.photo_id == bindparam("photo_id"))
    .limit(NAMES_OF_A_PHOTO)
)


def of_photo(connection: Connection, photo_id: int) -> list[FileRow]:
    """Return the files of a photo, of all its contents, up to 100."""
    return [FileRow(**row) for row in connection.execute(_of_photo, {"photo_id": photo_id}).mappings()]


def mark_missing(connection: Connection, file_id: int) -> None:
    """Say that a file is not where it was."""
    connection.execute(update(file).where(file.c.id == file_id).values(state="missing", missing_since=time.time()))
