"""What the search for duplicates reads: hashes, contents in several files, and what tells copies of a photo apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, exists, func, select

from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, photo, sidecar_link, vector, volume

_KEYS = 500
_SAME_MOMENT = 12
"""More contents than that of one camera and second are a burst, or a clock that stood still."""
_is_there = exists().where(file.c.asset_id == asset.c.id, file.c.state == "present")
_counts = (asset.c.role.not_in(("superseded", "movie")), _is_there)


@dataclass(frozen=True, slots=True)
class HashedContents:
    """The contents that have a picture and a file: int64 [n] asset and photo numbers, ascending by asset; hashes uint64 [n].

    videos: bool [n]; the hash of a video is that of its poster frame.
    """

    asset_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    videos: NDArray[np.bool_]


def hashed_contents(connection: Connection) -> HashedContents:
    """Return every content with a perceptual hash and a present file, without earlier ones of edited files and movies of Live Photos."""
    statement = (
        select(asset.c.id, asset.c.photo_id, asset.c.perceptual_hash, asset.c.kind == "video")
        .where(asset.c.perceptual_hash.is_not(None), asset.c.derived.is_(True), *_counts)
        .order_by(asset.c.id)
    )
    found = connection.execute(statement).partitions(10_000)
    blocks = [np.array([tuple(row) for row in rows], np.int64) for rows in found]
    rows = np.concatenate(blocks) if blocks else np.zeros((0, 4), np.int64)
    return HashedContents(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].astype(np.uint64), rows[:, 3] != 0)


def contents_in_several_files(connection: Connection) -> list[int]:
    """Return the contents that lie in two present files or more, ascending."""
    twice = select(file.c.asset_id).where(file.c.state == "present", file.c.asset_id.is_not(None))
    twice = twice.group_by(file.c.asset_id).having(func.count() > 1).order_by(file.c.asset_id)
    return list(connection.execute(twice).scalars())


def photos_of_contents(connection: Connection, asset_ids: Sequence[int]) -> list[int]:
    """Return the photos of some contents."""
    statement = select(asset.c.id, asset.c.photo_id)
    return [row.photo_id for row in _in_chunks(connection, statement, asset.c.id, asset_ids)]


def contents_of_one_moment(connection: Connection) -> list[list[int]]:
    """Return lists of contents of different photos that one camera took in one second, as their own EXIF says."""
    # Camera and time of the photos: written from EXIF, and far smaller to read than the facts of every content.
    moment = (photo.c.taken_at, photo.c.camera_model)
    known = (photo.c.taken_at.is_not(None), photo.c.camera_model.is_not(None), photo.c.taken_at_precision == "second")
    shared = (
        select(*moment)
        .where(*known, photo.c.kind != "video")
        .group_by(*moment)
        .having(func.count().between(2, _SAME_MOMENT))
        .subquery()
    )
    statement = (
        select(photo.c.taken_at, photo.c.camera_model, asset.c.id)
        .join(shared, (shared.c.taken_at == photo.c.taken_at) & (shared.c.camera_model == photo.c.camera_model))
        .join(asset, asset.c.id == photo.c.primary_asset_id)
        .where(asset.c.derived.is_(True), *_counts)
        .order_by(photo.c.taken_at, photo.c.camera_model, asset.c.id)
    )
    found: dict[tuple[str, str], list[int]] = {}
    for row in connection.execute(statement):
        found.setdefault((row[0], row[1]), []).append(row[2])
    return [ids for ids in found.values() if len(ids) > 1]


def digests_of(connection: Connection, asset_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the BLAKE3 digest of each content."""
    statement = select(asset.c.id, asset.c.digest)
    return {row.id: row.digest for row in _in_chunks(connection, statement, asset.c.id, asset_ids)}


def bursts_of(connection: Connection, asset_ids: Sequence[int]) -> dict[int, str]:
    """Return the burst of each content that is part of one."""
    statement = select(asset.c.id, photo.c.burst).join(photo, photo.c.id == asset.c.photo_id)
    statement = statement.where(photo.c.burst.is_not(None))
    return {row.id: row.burst for row in _in_chunks(connection, statement, asset.c.id, asset_ids)}


def contents_of_vectors(connection: Connection, vector_ids: Sequence[int]) -> dict[int, int]:
    """Return the content of each vector, those of the later frames of videos left out."""
    statement = select(vector.c.id, vector.c.asset_id).where(vector.c.frame == 0)
    return {row.id: row.asset_id for row in _in_chunks(connection, statement, vector.c.id, vector_ids)}


@dataclass(frozen=True, slots=True)
class CopyFile:
    """One present file. path: absolute, where the volume was last seen. mtime_ns: nanoseconds since 1970."""

    id: int
    asset_id: int
    path: bytes
    volume_id: int
    volume_label: str
    size_bytes: int
    mtime_ns: int
    first_seen_at: float


@dataclass(frozen=True, slots=True)
class CopyContent:
    """One content of a photo with its present files, the longest known first; it may have none.

    facts: how many facts its own metadata states. camera_time: it says when and by which camera it was taken.
    """

    asset_id: int
    digest: bytes
    kind: str
    format: str
    role: str
    width: int
    height: int
    size_bytes: int
    facts: int
    camera_time: bool
    files: tuple[CopyFile, ...]


@dataclass(frozen=True, slots=True)
class CopyPhoto:
    """One photo as it is ranked against its copies.

    written: how much a person wrote of it (stars, title, description, keywords, sidecars). primary_asset_id: the content
    that stands for it. moving: it is a picture with a short film, in the same file (a motion photo) or beside it (a Live Photo).
    """

    photo_id: int
    kind: str
    taken_at: str | None
    has_position: bool
    written: int
    duration_seconds: float | None
    primary_asset_id: int
    contents: tuple[CopyContent, ...]
    moving: bool = False


def photos_to_rank(connection: Connection, photo_ids: Sequence[int]) -> dict[int, CopyPhoto]:
    """Return the photos with their current contents and present files; one that is gone is left out."""
    files: dict[int, list[CopyFile]] = {}
    sidecars: dict[int, int] = {}
    contents: dict[int, list[Row[Any]]] = {}
    for row in _in_chunks(connection, _contents, asset.c.photo_id, photo_ids):
        contents.setdefault(row.photo_id, []).append(row)
    asset_ids = [row.id for rows in contents.values() for row in rows]
    for row in _in_chunks(connection, _files, file.c.asset_id, asset_ids):
        path = join(row.mount_point, row.folder_path, row.name)
        files.setdefault(row.asset_id, []).append(
            CopyFile(
                row.id, row.asset_id, path, row.volume_id, row.label, row.size_bytes, row.mtime_ns, row.first_seen_at
            )
        )
        sidecars[row.asset_id] = sidecars.get(row.asset_id, 0) + row.sidecars
    found = {}
    for row in _in_chunks(connection, select(photo), photo.c.id, photo_ids):
        of_photo = contents.get(row.id, [])
        if not of_photo:
            continue
        written = sum(value not in (None, "", []) for value in (row.rating, row.title, row.description, row.keywords))
        found[row.id] = CopyPhoto(
            row.id, row.kind, row.taken_at, row.latitude is not None,
            written + sum(sidecars.get(one.id, 0) for one in of_photo),
            row.duration_seconds, row.primary_asset_id or of_photo[0].id,
            tuple(_content(one, tuple(files.get(one.id, ()))) for one in of_photo),
            row.motion or any(one.role == "movie" and one.id in files for one in of_photo),
        )  # fmt: skip
    return found


_contents = (
    select(asset).where(asset.c.role != "superseded").order_by(asset.c.photo_id, asset.c.role != "primary", asset.c.id)
)
_files = (
    select(
        file.c.id, file.c.asset_id, file.c.name, file.c.size_bytes, file.c.mtime_ns, file.c.first_seen_at,
        folder.c.path.label("folder_path"), folder.c.volume_id, volume.c.mount_point, volume.c.label,
        select(func.count()).where(sidecar_link.c.file_id == file.c.id).scalar_subquery().label("sidecars"),
    )
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
    .where(file.c.state == "present")
    .order_by(file.c.first_seen_at, file.c.id)
)  # fmt: skip


def _content(row: Row[Any], files: tuple[CopyFile, ...]) -> CopyContent:
    exif = row.facts.get("exif", {})
    camera_time = bool(exif.get("taken_at") and (exif.get("camera_model") or exif.get("camera_make")))
    return CopyContent(
        row.id, row.digest, row.kind, row.format, row.role, row.width or 0, row.height or 0, row.size_bytes,
        sum(len(values) for values in row.facts.values()), camera_time, files,
    )  # fmt: skip


def _in_chunks(connection: Connection, statement: Any, column: Any, keys: Iterable[int]) -> Iterable[Row[Any]]:
    wanted = list(keys)
    for start in range(0, len(wanted), _KEYS):
        yield from connection.execute(statement.where(column.in_(wanted[start : start + _KEYS])))
