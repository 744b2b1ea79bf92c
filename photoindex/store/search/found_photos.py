"""The rows of photos found by a search, for one or for all photos of a library: past SQLAlchemy's row objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, literal_column, select

from photoindex.store.engine.path_columns import path_bytes
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import as_parameter, is_given
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, photo, volume

# An alias for photo, because SQLite does not resolve columns of an outer query in ORDER BY.
owner = photo.alias("owner")
FILES_OF_PHOTOS = (
    asset.join(owner, owner.c.id == asset.c.photo_id)
    .join(file, file.c.asset_id == asset.c.id)
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
)
# Not a parameter: some statements go to the driver without those of SQLAlchemy.
FILE_ORDER = (file.c.state != literal_column("'present'"), asset.c.id != owner.c.primary_asset_id, file.c.id)
"""The order of a photo's files: present ones first, then those of the primary content, then by id."""

PHOTO_COLUMNS = (
    "id", "kind", "format", "width", "height", "size_bytes", "duration_seconds", "taken_at", "taken_at_source",
    "taken_at_confidence", "taken_at_precision", "taken_at_utc", "utc_offset_minutes", "zone", "latitude", "longitude",
    "altitude_m", "place", "camera_make", "camera_model", "lens", "iso", "aperture", "exposure_seconds",
    "focal_length_mm", "rating", "title", "description", "added_at",
)  # fmt: skip
"""The columns of `photo` at the start of a row of `photo_rows`."""

_rows: Select[Any] = (
    select(*(photo.c[name] for name in PHOTO_COLUMNS), photo.c.keywords, asset.c.digest)
    .outerjoin(asset, asset.c.id == photo.c.primary_asset_id)
    .where(is_given(photo.c.id, "photo_ids"))
)
_files: Select[Any] = (
    select(asset.c.photo_id, file.c.folder_id, path_bytes(file.c.name), file.c.state)
    .join_from(asset, file, file.c.asset_id == asset.c.id)
    .where(is_given(asset.c.photo_id, "photo_ids"))
)
_files_in_order: Select[Any] = (
    select(asset.c.photo_id, file.c.folder_id, path_bytes(file.c.name), file.c.state)
    .select_from(FILES_OF_PHOTOS)
    .where(is_given(asset.c.photo_id, "photo_ids"))
    .order_by(asset.c.photo_id, *FILE_ORDER)
)
_folders: Select[Any] = (
    select(folder.c.id, path_bytes(volume.c.mount_point), path_bytes(folder.c.path))
    .join(volume, volume.c.id == folder.c.volume_id)
    .where(is_given(folder.c.id, "folder_ids"))
)


class FirstFile(NamedTuple):
    """The file that stands for a photo: the first in FILE_ORDER. path: absolute. files: how many the photo has."""

    path: bytes
    name: bytes
    state: str
    files: int


def photo_rows(connection: Connection, photo_ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Yield photos in any order: PHOTO_COLUMNS, the list of keywords, the primary content's digest (bytes or None)."""
    for *values, keywords, digest in engine_of(connection).fetch_plain(connection, _rows, as_parameter(photo_ids)):
        yield (*values, [] if keywords == "[]" else json.loads(keywords) or [], digest)


def first_files(
    connection: Connection, photo_ids: Sequence[int], folders: dict[int, bytes] | None = None
) -> dict[int, FirstFile]:
    """Return photo id -> first file; photos without a file are omitted.

    folders: folder id -> path with a slash at its end, of those that are known already; new ones are added.
    """
    fetch, known = engine_of(connection).fetch_plain, {} if folders is None else folders
    rows = fetch(connection, _files, as_parameter(photo_ids))
    if new := {row[1] for row in rows} - known.keys():
        for folder_id, mount_point, path in fetch(connection, _folders, as_parameter(new)):
            known[folder_id] = join(mount_point, path, b"")
    found: dict[int, FirstFile] = {}
    several: set[int] = set()
    for photo_id, folder_id, name, state in rows:
        if photo_id in found:
            several.add(photo_id)
        else:
            found[photo_id] = FirstFile(known[folder_id] + name, name, state, 1)
    if several:
        files: dict[int, int] = dict.fromkeys(several, 0)
        for photo_id, folder_id, name, state in fetch(connection, _files_in_order, as_parameter(several)):
            files[photo_id] += 1
            if files[photo_id] == 1:
                found[photo_id] = FirstFile(known[folder_id] + name, name, state, 1)
        found.update((photo_id, found[photo_id]._replace(files=number)) for photo_id, number in files.items())
    return found
