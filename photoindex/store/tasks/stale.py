"""What is out of date: folders whose pairs and sidecars must be matched again, photos whose facts must be resolved."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, delete, func, select, update

from photoindex.store.engine import predicates
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import json_value, upsert
from photoindex.store.schema.tables import asset, file, folder, photo, photo_to_resolve, sidecar

_CHUNK = 500


def mark_unrelated(connection: Connection, folder_ids: Collection[int]) -> None:
    """Mark folders whose pairs and sidecars must be matched again."""
    if folder_ids:
        connection.execute(
            update(folder).where(folder.c.id.in_(folder_ids), folder.c.unrelated.is_(False)).values(unrelated=True)
        )


def mark_folders_of_files_unrelated(connection: Connection, file_ids: Select[tuple[int]]) -> None:
    """Mark the folders of these files, like `mark_unrelated`; `file_ids` is a query."""
    folders = select(file.c.folder_id).where(file.c.id.in_(file_ids))
    connection.execute(
        update(folder).where(folder.c.id.in_(folders), folder.c.unrelated.is_(False)).values(unrelated=True)
    )


def mark_folders_of_assets_unrelated(connection: Connection, asset_ids: Iterable[int]) -> None:
    """Mark the folders of the files of these contents, like `mark_unrelated`."""
    wanted = sorted(set(asset_ids))
    for some in chunks(wanted, _CHUNK):
        files = select(file.c.id).where(file.c.asset_id.in_(some))
        mark_folders_of_files_unrelated(connection, files)


def unrelated_folders(connection: Connection) -> list[int]:
    """Return the folders whose pairs and sidecars must be matched."""
    return list(
        connection.execute(select(folder.c.id).where(predicates.needs_pairing()).order_by(folder.c.id)).scalars()
    )


def has_stale(connection: Connection) -> bool:
    """Return whether any folder or photo is out of date."""
    folders = select(folder.c.id).where(predicates.needs_pairing()).limit(1)
    photos = select(photo_to_resolve.c.photo_id).limit(1)
    return connection.execute(folders).first() is not None or connection.execute(photos).first() is not None


def mark_related(connection: Connection, folder_ids: Collection[int]) -> None:
    """Mark the pairs and sidecars of folders as up to date."""
    connection.execute(update(folder).where(folder.c.id.in_(folder_ids)).values(unrelated=False))


def resolve_later(connection: Connection, photo_ids: Iterable[int]) -> None:
    """Schedule these photos for resolving their facts; unknown ids are ignored."""
    add = upsert(photo_to_resolve)
    wanted = list(dict.fromkeys(photo_ids))
    for some in chunks(wanted, _CHUNK):
        known = select(photo.c.id).where(photo.c.id.in_(some))
        connection.execute(add.from_select(["photo_id"], known).on_conflict_do_nothing())


def resolve_all_later(connection: Connection, photo_ids: Select[tuple[int]]) -> None:
    """Schedule the photos that a query selects, like `resolve_later`."""
    known = select(photo.c.id).where(photo.c.id.in_(photo_ids))
    connection.execute(upsert(photo_to_resolve).from_select(["photo_id"], known).on_conflict_do_nothing())


def resolve_photos_of_assets_later(connection: Connection, asset_ids: Collection[int]) -> None:
    """Schedule the photos of these contents, like `resolve_later`."""
    resolve_later(connection, connection.execute(select(asset.c.photo_id).where(asset.c.id.in_(asset_ids))).scalars())


def count_to_resolve(connection: Connection) -> int:
    """Return how many photos are scheduled."""
    return int(connection.execute(select(func.count()).select_from(photo_to_resolve)).scalar_one())


def has_positions(connection: Connection) -> bool:
    """Return whether any photo or sidecar has a position, so that resolving may look up places."""
    of_photos = select(photo.c.id).where(predicates.has_position()).limit(1)
    of_sidecars = select(sidecar.c.file_id).where(json_value(sidecar.c.facts, "$.latitude").is_not(None)).limit(1)
    return any(connection.execute(one).first() is not None for one in (of_photos, of_sidecars))


def take_to_resolve(connection: Connection, limit: int) -> list[int]:
    """Remove up to `limit` photos from the schedule and return them; resolve them in the same transaction."""
    ids = list(
        connection.execute(
            select(photo_to_resolve.c.photo_id).order_by(photo_to_resolve.c.photo_id).limit(limit)
        ).scalars()
    )
    if ids:
        connection.execute(delete(photo_to_resolve).where(photo_to_resolve.c.photo_id.in_(ids)))
    return ids
