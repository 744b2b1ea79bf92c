"""Photos selected by files and folders, with their times, contents and paths, in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, or_, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers
from photoindex.store.files.files import join
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.schema.tables import asset, correction, file, folder, photo, volume
from photoindex.store.search.found_photos import first_files

SUPERSEDED = "superseded"
_KEYS = 5_000


def photos_below(connection: Connection, places: Sequence[Location]) -> list[int]:
    """Return the ids of photos with a file in or below one of these folders, ascending; missing files count too."""
    statement = (
        select(asset.c.photo_id)
        .distinct()
        .join(file, file.c.asset_id == asset.c.id)
        .join(folder, folder.c.id == file.c.folder_id)
        .where(or_(*map(folder_is_within, places)), file.c.state != "excluded")
        .order_by(asset.c.photo_id)
    )
    return list(connection.execute(statement).scalars())


def known_photos(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    """Return those of some ids that are photos."""
    found: set[int] = set()
    for some in chunks(photo_ids, _KEYS):
        chosen = select(photo.c.id).where(photo.c.id.in_(numbers(some)))
        found.update(connection.execute(chosen).scalars())
    return found


class PhotoOfFile(NamedTuple):
    """A file's content and photo."""

    file_id: int
    asset_id: int
    photo_id: int


_of_file = (
    select(file.c.id, asset.c.id, asset.c.photo_id)
    .join(asset, asset.c.id == file.c.asset_id)
    .where(file.c.id == bindparam("file_id"))
)


def photo_of_file(connection: Connection, file_id: int) -> PhotoOfFile | None:
    """Return the content and photo of a file, None if it was not ingested."""
    row = connection.execute(_of_file, {"file_id": file_id}).first()
    return PhotoOfFile(*row) if row else None


class TimeOfPhoto(NamedTuple):
    """When a photo was taken, as resolved: ISO 8601 wall time, its precision, its offset from UTC, its source.

    A time that ends in `+00:00` without utc_offset_minutes is known only in UTC.
    """

    photo_id: int
    taken_at: str | None
    precision: str | None
    utc_offset_minutes: int | None
    source: str | None = None


def times_of(connection: Connection, photo_ids: Sequence[int]) -> list[TimeOfPhoto]:
    """Return the times of up to a few hundred photos, by id; unknown ids are omitted."""
    columns = (photo.c.id, photo.c.taken_at, photo.c.taken_at_precision, photo.c.utc_offset_minutes)
    statement = select(*columns, photo.c.taken_at_source).where(photo.c.id.in_(photo_ids))
    return [TimeOfPhoto(*row) for row in connection.execute(statement.order_by(photo.c.id))]


class ContentCorrection(NamedTuple):
    """One content of a photo with a person's correction, None if there is none; current: not superseded."""

    photo_id: int
    asset_id: int
    current: bool
    value: object


def corrections_of(connection: Connection, photo_ids: Sequence[int], fact: str) -> list[ContentCorrection]:
    """Return the contents of photos, each with the correction of one fact."""
    here = (correction.c.asset_id == asset.c.id) & (correction.c.fact == fact)
    statement = (
        select(asset.c.photo_id, asset.c.id, asset.c.role != SUPERSEDED, correction.c.value)
        .outerjoin(correction, here)
        .where(asset.c.photo_id.in_(numbers(photo_ids)))
        .order_by(asset.c.photo_id, asset.c.id)
    )
    return [ContentCorrection(*row) for row in connection.execute(statement)]


class DescriptionOfPhoto(NamedTuple):
    """The description of a photo, the sources of its facts, and the content that represents it."""

    photo_id: int
    asset_id: int | None
    description: str | None
    sources: Mapping[str, str] | None


def descriptions_of(connection: Connection, photo_ids: Sequence[int]) -> list[DescriptionOfPhoto]:
    """Return the descriptions of photos, by id; unknown ids are omitted."""
    columns = photo.c.id, photo.c.primary_asset_id, photo.c.description, photo.c.sources
    statement = select(*columns).where(photo.c.id.in_(numbers(photo_ids))).order_by(photo.c.id)
    return [DescriptionOfPhoto(*row) for row in connection.execute(statement)]


def favourites(connection: Connection, photo_ids: Sequence[int]) -> set[int]:
    """Return those of some photos that are favourites."""
    chosen = select(photo.c.id).where(photo.c.id.in_(numbers(photo_ids)), photo.c.favourite.is_(True))
    return set(connection.execute(chosen).scalars())


def first_paths(connection: Connection, photo_ids: Sequence[int]) -> dict[int, bytes]:
    """Return photo id -> path of its first present file, else of another."""
    return {photo_id: first.path for photo_id, first in first_files(connection, photo_ids).items()}


def path_of_content(connection: Connection, asset_id: int) -> bytes | None:
    """Return the path of the first present file, else of another, of a content's photo; None if there is no file."""
    photo_id = connection.execute(select(asset.c.photo_id).where(asset.c.id == asset_id)).scalar()
    return None if photo_id is None else first_paths(connection, [photo_id]).get(photo_id)


class ContentOfPhoto(NamedTuple):
    """One current content of a photo and its role."""

    photo_id: int
    asset_id: int
    role: str


def contents_of(connection: Connection, photo_ids: Sequence[int]) -> list[ContentOfPhoto]:
    """Return the contents of up to a few hundred photos, without superseded ones, the primary one first."""
    statement = (
        select(asset.c.photo_id, asset.c.id, asset.c.role)
        .where(asset.c.photo_id.in_(photo_ids), asset.c.role != SUPERSEDED)
        .order_by(asset.c.photo_id, asset.c.role != "primary", asset.c.id)
    )
    return [ContentOfPhoto(*row) for row in connection.execute(statement)]


class FileOfContent(NamedTuple):
    """One file of a content; path: absolute, at the last known mount point."""

    asset_id: int
    file_id: int
    folder_id: int
    name: bytes
    path: bytes
    state: str


_files = (
    select(
        file.c.asset_id, file.c.id, file.c.folder_id, file.c.name, file.c.state,
        folder.c.path.label("folder_path"), volume.c.mount_point,
    )
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
    .where(file.c.asset_id.is_not(None), file.c.state != "excluded")
    .order_by(file.c.asset_id, file.c.state != "present", file.c.id)
)  # fmt: skip


def files_of_contents(connection: Connection, asset_ids: Sequence[int]) -> list[FileOfContent]:
    """Return the files of up to a few hundred contents; for each, present ones first, then by id."""
    return _as_files(connection.execute(_files.where(file.c.asset_id.in_(asset_ids))))


def files_in_folder(connection: Connection, folder_id: int) -> list[FileOfContent]:
    """Return the ingested files of a folder, by content."""
    return _as_files(connection.execute(_files.where(file.c.folder_id == folder_id)))


def _as_files(rows: Iterable[Row[Any]]) -> list[FileOfContent]:
    return [
        FileOfContent(
            row.asset_id, row.id, row.folder_id, row.name, join(row.mount_point, row.folder_path, row.name), row.state
        )
        for row in rows
    ]
