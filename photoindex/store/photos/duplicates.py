"""Data for finding duplicates: hashes, contents in several files, and what ranks the copies of a photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, exists, func, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, photo, sidecar_link, vector, volume

_KEYS = 500
_MOMENT_CONTENTS_MAX = 12
"""More contents from one camera in one second are a burst, or a stopped clock."""
_has_present_file = exists().where(file.c.asset_id == asset.c.id, file.c.state == "present")
_eligible = (asset.c.role.not_in(("superseded", "movie", "companion", "backup")), _has_present_file)


@dataclass(frozen=True, slots=True)
class HashedContents:
    """Contents with a picture and a file: asset_ids, photo_ids int64 [n], ascending by asset; hashes uint64 [n].

    videos: bool [n]; the hash of a video is that of its poster frame.
    """

    asset_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    videos: NDArray[np.bool_]


def has_picture_to_compare() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for contents with a picture and a present file, except superseded ones and Live Photo movies."""
    return (asset.c.perceptual_hash.is_not(None), asset.c.derived.is_(True), *_eligible)


def hashed_contents(connection: Connection) -> HashedContents:
    """Return every content with a perceptual hash and a present file, except superseded ones and Live Photo movies."""
    statement = (
        select(asset.c.id, asset.c.photo_id, asset.c.perceptual_hash, asset.c.kind == "video")
        .where(*has_picture_to_compare())
        .order_by(asset.c.id)
    )
    found = connection.execute(statement).partitions(10_000)
    blocks = [np.array([tuple(row) for row in rows], np.int64) for rows in found]
    rows = np.concatenate(blocks) if blocks else np.zeros((0, 4), np.int64)
    return HashedContents(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].astype(np.uint64), rows[:, 3] != 0)


def contents_in_several_files(connection: Connection) -> list[int]:
    """Return the contents that have two or more present files, ascending."""
    repeated = select(file.c.asset_id).where(file.c.state == "present", file.c.asset_id.is_not(None))
    repeated = repeated.group_by(file.c.asset_id).having(func.count() > 1).order_by(file.c.asset_id)
    return list(connection.execute(repeated).scalars())


def photos_of_contents(connection: Connection, asset_ids: Sequence[int]) -> list[int]:
    """Return the photos of some contents."""
    statement = select(asset.c.id, asset.c.photo_id)
    return [row.photo_id for row in _in_chunks(connection, statement, asset.c.id, asset_ids)]


def contents_of_one_moment(connection: Connection) -> list[list[int]]:
    """Return lists of contents of different photos that one camera took in the same second, according to EXIF."""
    # The photos' camera and time come from EXIF and are far cheaper to read than the facts of every content.
    moment = (photo.c.taken_at, photo.c.camera_model)
    known = (photo.c.taken_at.is_not(None), photo.c.camera_model.is_not(None), photo.c.taken_at_precision == "second")
    shared = (
        select(*moment)
        .where(*known, photo.c.kind != "video")
        .group_by(*moment)
        .having(func.count().between(2, _MOMENT_CONTENTS_MAX))
        .subquery()
    )
    statement = (
        select(photo.c.taken_at, photo.c.camera_model, asset.c.id)
        .join(shared, (shared.c.taken_at == photo.c.taken_at) & (shared.c.camera_model == photo.c.camera_model))
        .join(asset, asset.c.id == photo.c.primary_asset_id)
        .where(asset.c.derived.is_(True), *_eligible)
        .order_by(photo.c.taken_at, photo.c.camera_model, asset.c.id)
    )
    found: dict[tuple[str, str], list[int]] = {}
    for row in connection.execute(statement):
        found.setdefault((row[0], row[1]), []).append(row[2])
    return [ids for ids in found.values() if len(ids) > 1]


def digests_of(connection: Connection, asset_ids: Sequence[int]) -> dict[int, bytes]:
    """Return content id -> BLAKE3 digest."""
    statement = select(asset.c.id, asset.c.digest)
    return {row.id: row.digest for row in _in_chunks(connection, statement, asset.c.id, asset_ids)}


def bursts_of(connection: Connection, asset_ids: Sequence[int]) -> dict[int, str]:
    """Return content id -> burst, for the contents in a burst."""
    statement = select(asset.c.id, photo.c.burst).join(photo, photo.c.id == asset.c.photo_id)
    statement = statement.where(photo.c.burst.is_not(None))
    return {row.id: row.burst for row in _in_chunks(connection, statement, asset.c.id, asset_ids)}


def contents_of_vectors(connection: Connection, vector_ids: Sequence[int]) -> dict[int, int]:
    """Return vector id -> content id, without vectors of later video frames."""
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
    """One content of a photo with its present files, the earliest seen first; it may have none.

    facts: number of facts in its own metadata. camera_time: its EXIF has both the time taken and the camera.
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
    """One photo with what it is ranked by among its copies.

    written: number of things a person added (rating, title, description, keywords, each sidecar). primary_asset_id: the
    content that represents it. moving: it is a picture with a short video, in the same file (motion photo) or in a
    second one (Live Photo).
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
    """Return the photos with their current contents and present files; missing ids are omitted."""
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
    for some in chunks(wanted, _KEYS):
        yield from connection.execute(statement.where(column.in_(some)))
