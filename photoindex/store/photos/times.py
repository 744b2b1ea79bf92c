"""The times of a folder's photos, used to infer times from neighbours taken with the same camera."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import asset, file, folder, photo
from photoindex.store.tasks.stale import mark_unrelated

_CHUNK = 500


class TimedRow(NamedTuple):
    """One photo of a folder with its resolved facts and the name of its file there."""

    photo_id: int
    name: bytes
    camera_make: str | None
    camera_model: str | None
    taken_at: str | None
    taken_at_source: str | None
    taken_at_confidence: float | None
    taken_at_precision: str | None
    taken_at_utc: float | None
    utc_offset_minutes: int | None
    zone_source: str | None
    sources: dict[str, str]
    neighbours: dict[str, str] | None


_timed = (
    select(
        photo.c.id, file.c.name, photo.c.camera_make, photo.c.camera_model, photo.c.taken_at, photo.c.taken_at_source,
        photo.c.taken_at_confidence, photo.c.taken_at_precision, photo.c.taken_at_utc, photo.c.utc_offset_minutes,
        photo.c.zone_source, photo.c.sources, photo.c.neighbours,
    )
    .join(asset, asset.c.photo_id == photo.c.id)
    .join(file, file.c.asset_id == asset.c.id)
    .where(asset.c.id == photo.c.primary_asset_id, file.c.state != "excluded")
    .order_by(file.c.id)
)  # fmt: skip


def photos_in_folder(connection: Connection, folder_id: int) -> list[TimedRow]:
    """Return the photos whose primary content has a file in a folder, each once, by file id."""
    found: dict[int, TimedRow] = {}
    for row in connection.execute(_timed.where(file.c.folder_id == folder_id)):
        found.setdefault(row.id, TimedRow._make(row))
    return list(found.values())


def first_folders(connection: Connection, photo_ids: Collection[int]) -> dict[int, int]:
    """Return photo id -> folder of its primary content's file with the lowest id."""
    found: dict[int, int] = {}
    ordered = sorted(photo_ids)
    for some in chunks(ordered, _CHUNK):
        first = (
            select(photo.c.id, func.min(file.c.id).label("file_id"))
            .join(asset, asset.c.id == photo.c.primary_asset_id)
            .join(file, file.c.asset_id == asset.c.id)
            .where(photo.c.id.in_(some), file.c.state != "excluded")
            .group_by(photo.c.id)
            .subquery()
        )
        statement = select(first.c.id, file.c.folder_id).join(file, file.c.id == first.c.file_id)
        found.update((row[0], row[1]) for row in connection.execute(statement))
    return found


def set_neighbours(connection: Connection, facts: Mapping[int, dict[str, str] | None]) -> None:
    """Store the facts of each photo that were inferred from its neighbours; None for none."""
    for photo_id, value in facts.items():
        connection.execute(update(photo).where(photo.c.id == photo_id).values(neighbours=value or None))


def mark_folders_of_photos_unrelated(connection: Connection, photo_ids: Collection[int]) -> None:
    """Mark the folders of these photos as needing pairing again, because times of photos may have changed."""
    statement = (
        select(file.c.folder_id)
        .distinct()
        .join(asset, asset.c.id == file.c.asset_id)
        .join(folder, folder.c.id == file.c.folder_id)
        .where(asset.c.photo_id.in_(photo_ids), folder.c.unrelated.is_(False))
    )
    mark_unrelated(connection, set(connection.execute(statement).scalars()))
