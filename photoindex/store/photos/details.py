"""Everything stored about one photo and one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Select, select

from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.types import Facts, Resolved


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One photo: its kind and size, its resolved facts, and the id of its primary asset."""

    id: int
    kind: str
    format: str
    width: int | None
    height: int | None
    orientation: int | None
    duration_seconds: float | None
    size_bytes: int
    added_at: float
    primary_asset_id: int | None
    burst: str | None
    motion: bool
    resolved: Resolved


@dataclass(frozen=True, slots=True)
class AssetDetails:
    """One content: `facts` holds every value of every embedded source; `perceptual_hash` is the 64-bit hash, unsigned.

    role: its part in the photo. pair_reason: why it belongs to the photo, if it is not the primary content.
    """

    id: int
    digest: bytes
    kind: str
    format: str
    role: str
    pair_reason: str | None
    regions: tuple[Mapping[str, Any], ...]
    facts: Facts
    notes: tuple[str, ...]
    perceptual_hash: int | None
    derived: bool


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One path on one volume, with its content if known.

    path: absolute, where the volume was last seen. mtime_ns: nanoseconds since 1970. media: None until read.
    missing_since, first_seen_at: UTC seconds since 1970. pair_reason: why the content belongs to its photo, None if it is
    the primary one.
    """

    id: int
    path: bytes
    volume_id: int
    volume_label: str
    size_bytes: int
    mtime_ns: int
    state: str
    media: bool | None
    reason: str | None
    first_seen_at: float
    missing_since: float | None
    asset_id: int | None
    photo_id: int | None
    role: str | None
    pair_reason: str | None
    digest: bytes | None


def photo_by_id(connection: Connection, photo_id: int) -> PhotoRow | None:
    """Return a photo, None if there is no such id."""
    # The driver raises OverflowError for integers wider than SQLite's.
    if photo_id >= 1 << 63:
        return None
    row = connection.execute(select(photo).where(photo.c.id == photo_id)).mappings().first()
    if row is None:
        return None
    return PhotoRow(
        id=row["id"],
        kind=row["kind"],
        format=row["format"],
        width=row["width"],
        height=row["height"],
        orientation=row["orientation"],
        duration_seconds=row["duration_seconds"],
        size_bytes=row["size_bytes"],
        added_at=row["added_at"],
        primary_asset_id=row["primary_asset_id"],
        burst=row["burst"],
        motion=row["motion"],
        resolved=_resolved(row),
    )


def _resolved(row: Mapping[Any, Any]) -> Resolved:
    values = {one.name: row[one.name] for one in fields(Resolved)}
    values["keywords"] = tuple(values["keywords"] or ())
    values["sources"] = values["sources"] or {}
    return Resolved(**values)


def photos_of_burst(connection: Connection, burst: str) -> list[int]:
    """Return the photos of a burst, ordered by time."""
    statement = select(photo.c.id).where(photo.c.burst == burst).order_by(photo.c.taken_at, photo.c.id)
    return list(connection.execute(statement).scalars())


def assets_of_photo(connection: Connection, photo_id: int) -> list[AssetDetails]:
    """Return the contents of a photo, also superseded ones, ordered by id."""
    return [
        _asset_row(row)
        for row in connection.execute(_assets().where(asset.c.photo_id == photo_id).order_by(asset.c.id))
    ]


def _assets() -> Select[Any]:
    return select(asset)


def _asset_row(row: Any) -> AssetDetails:
    unsigned = None if row.perceptual_hash is None else row.perceptual_hash & 0xFFFF_FFFF_FFFF_FFFF
    return AssetDetails(
        id=row.id,
        digest=row.digest,
        kind=row.kind,
        format=row.format,
        role=row.role,
        pair_reason=row.pair_reason,
        regions=tuple(row.regions or ()),
        facts=row.facts or {},
        notes=tuple(row.notes or ()),
        perceptual_hash=unsigned,
        derived=row.derived,
    )


def files_of_photo(connection: Connection, photo_id: int) -> list[FileRecord]:
    """Return the files of a photo: present ones first, then by id."""
    statement = _files().where(asset.c.photo_id == photo_id).order_by(file.c.state != "present", file.c.id)
    return [_file_row(row) for row in connection.execute(statement)]


def file_by_id(connection: Connection, file_id: int) -> FileRecord:
    """Return one file; the id must exist."""
    return _file_row(connection.execute(_files().where(file.c.id == file_id)).one())


def _files() -> Select[Any]:
    return (
        select(
            file,
            folder.c.path.label("folder_path"),
            folder.c.volume_id,
            volume.c.label,
            volume.c.mount_point,
            asset.c.photo_id,
            asset.c.role,
            asset.c.pair_reason,
            asset.c.digest,
        )
        .join(folder, folder.c.id == file.c.folder_id)
        .join(volume, volume.c.id == folder.c.volume_id)
        .outerjoin(asset, asset.c.id == file.c.asset_id)
    )


def _file_row(row: Any) -> FileRecord:
    return FileRecord(
        id=row.id,
        path=join(row.mount_point, row.folder_path, row.name),
        volume_id=row.volume_id,
        volume_label=row.label,
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
        state=row.state,
        media=row.media,
        reason=row.reason,
        first_seen_at=row.first_seen_at,
        missing_since=row.missing_since,
        asset_id=row.asset_id,
        photo_id=row.photo_id,
        role=row.role,
        pair_reason=row.pair_reason,
        digest=row.digest,
    )
