"""What has to be worked out again: folders whose pairs and sidecars may differ, photos whose facts may."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, delete, func, select, update

from photoindex.store.engine import predicates
from photoindex.store.engine.statements import json_value, upsert
from photoindex.store.schema.tables import asset, file, folder, photo, photo_to_resolve, sidecar

_CHUNK = 500


def mark_unrelated(connection: Connection, folder_ids: Collection[int]) -> None:
    """Say that the pairs and sidecars of these folders have to be found anew."""
    if folder_ids:
        connection.execute(
            update(folder).where(folder.c.id.in_(folder_ids), folder.c.unrelated.is_(False)).values(unrelated=True)
        )


def mark_folders_of_files_unrelated(connection: Connection, file_ids: Select[tuple[int]]) -> None:
    """Say so of the folders of these files; `file_ids` is a query."""
    folders = select(file.c.folder_id).where(file.c.id.in_(file_ids))
    connection.execute(
        update(folder).where(folder.c.id.in_(folders), folder.c.unrelated.is_(False)).values(unrelated=True)
    )


def mark_folders_of_assets_unrelated(connection: Connection, asset_ids: Iterable[int]) -> None:
    """Say so of the folders of these contents' files."""
    wanted = sorted(set(asset_ids))
    for start in range(0, len(wanted), _CHUNK):
        files = select(file.c.id).where(file.c.asset_id.in_(wanted[start : start + _CHUNK]))
        mark_folders_of_files_unrelated(connection, files)


def unrelated(connection: Connection) -> list[int]:
    """Return the folders that have to be related."""
    return list(
        connection.execute(select(folder.c.id).where(predicates.needs_pairing()).order_by(folder.c.id)).scalars()
    )


def is_any(connection: Connection) -> bool:
    """Tell whether anything is left to work out."""
    folders = select(folder.c.id).where(predicates.needs_pairing()).limit(1)
    photos = select(photo_to_resolve.c.photo_id).limit(1)
    return connection.execute(folders).first() is not None or connection.execute(photos).first() is not None


def is_related(connection: Connection, folder_id: int) -> None:
    """Say that a folder's pairs and sidecars are as its files are now."""
    connection.execute(update(folder).where(folder.c.id == folder_id).values(unrelated=False))


def resolve_later(connection: Connection, photo_ids: Iterable[int]) -> None:
    """Say that the facts of these photos have to be resolved again; unknown numbers are left out."""
    add = upsert(photo_to_resolve)
    wanted = list(dict.fromkeys(photo_ids))
    for start in range(0, len(wanted), _CHUNK):
        known = select(photo.c.id).where(photo.c.id.in_(wanted[start : start + _CHUNK]))
        connection.execute(add.from_select(["photo_id"], known).on_conflict_do_nothing())


def resolve_all_later(connection: Connection, photo_ids: Select[tuple[int]]) -> None:
    """Say so of the photos that a query gives."""
    known = select(photo.c.id).where(photo.c.id.in_(photo_ids))
    connection.execute(upsert(photo_to_resolve).from_select(["photo_id"], known).on_conflict_do_nothing())


def resolve_photos_of_assets_later(connection: Connection, asset_ids: Collection[int]) -> None:
    """Say so of the photos of these contents."""
    resolve_later(connection, connection.execute(select(asset.c.photo_id).where(asset.c.id.in_(asset_ids))).scalars())


def count_to_resolve(connection: Connection) -> int:
    """Return how many photos wait."""
    return int(connection.execute(select(func.count()).select_from(photo_to_resolve)).scalar_one())


def has_positions(connection: Connection) -> bool:
    """Tell whether any photo or sidecar knows a position, so that resolving photos may ask for places."""
    of_photos = select(photo.c.id).where(predicates.has_position()).limit(1)
    of_sidecars = select(sidecar.c.file_id).where(json_value(sidecar.c.facts, "$.latitude").is_not(None)).limit(1)
    return any(connection.execute(one).first() is not None for one in (of_photos, of_sidecars))


def take_to_resolve(connection: Connection, limit: int) -> list[int]:
    """Take some photos off the list and return them; to be resolved in the same transaction."""
    ids = list(
        connection.execute(
            select(photo_to_resolve.c.photo_id).order_by(photo_to_resolve.c.photo_id).limit(limit)
        ).scalars()
    )
    if ids:
        connection.execute(delete(photo_to_resolve).where(photo_to_resolve.c.photo_id.in_(ids)))
    return ids
