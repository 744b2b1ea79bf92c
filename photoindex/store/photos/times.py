"""The times of a folder's photos, used to infer times from neighbours taken with the same camera."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Text, and_, func, literal_column, select, type_coerce, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.path_columns import path_bytes
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import as_parameter, is_given, json_value
from photoindex.store.schema.tables import asset, file, folder, photo
from photoindex.store.tasks.stale import mark_unrelated

_CHUNK = 500


class TimedRow(NamedTuple):
    """One photo of a folder with its resolved facts and the name of its file there.

    utc_source: the source of taken_at_utc, None if unknown.
    """

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
    utc_source: str | None
    neighbours: dict[str, str] | None


# Literals and no parameters, because the statement goes to the driver without those of SQLAlchemy.
_timed: Select[Any] = (
    select(
        file.c.folder_id, type_coerce(photo.c.neighbours, Text), photo.c.id, path_bytes(file.c.name), photo.c.camera_make,
        photo.c.camera_model, photo.c.taken_at, photo.c.taken_at_source, photo.c.taken_at_confidence,
        photo.c.taken_at_precision, photo.c.taken_at_utc, photo.c.utc_offset_minutes, photo.c.zone_source,
        json_value(photo.c.sources, literal_column("'$.taken_at_utc'")),
    )
    .join(asset, asset.c.id == file.c.asset_id)
    .join(photo, and_(photo.c.id == asset.c.photo_id, photo.c.primary_asset_id == asset.c.id))
    .where(is_given(file.c.folder_id, "folder_ids"), file.c.state != literal_column("'excluded'"))
    .order_by(file.c.id)
)  # fmt: skip


def photos_in_folders(connection: Connection, folder_ids: Collection[int]) -> dict[int, list[TimedRow]]:
    """Return folder id -> the photos whose primary content has a file in it, each once, by file id."""
    found: dict[int, dict[int, TimedRow]] = {folder_id: {} for folder_id in folder_ids}
    rows = engine_of(connection).fetch_plain(connection, _timed, as_parameter(folder_ids))
    for folder_id, neighbours, photo_id, *facts in rows:
        known = None if neighbours is None else json.loads(neighbours)
        found[folder_id].setdefault(photo_id, TimedRow._make((photo_id, *facts, known)))
    return {folder_id: list(photos.values()) for folder_id, photos in found.items()}


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
