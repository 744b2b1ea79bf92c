"""Maps paths from the command line to the library's files, through symbolic links and changed mount points."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from photoindex.errors import NothingFound
from photoindex.file_access import as_on_disk
from photoindex.mounts import mount_of, mount_with_identity
from photoindex.paths import absolute, composed, display, is_within, relative_to
from photoindex.store.files.locations import Location, NamedFile, file_at, files_below, files_named, look_alikes
from photoindex.store.files.volumes import VolumeRow, all_volumes


@dataclass(frozen=True, slots=True)
class KnownVolume:
    """A volume of the library and its current mount point, None if it is not mounted."""

    row: VolumeRow
    mounted_at: bytes | None

    @property
    def online(self) -> bool:
        """Whether the volume is mounted now, at any mount point."""
        return self.mounted_at is not None


def volumes_now(connection: Connection) -> dict[int, KnownVolume]:
    """Return every volume by id, with the current mount point of its file system."""
    found = {}
    for row in all_volumes(connection):
        mount = mount_with_identity(row.identity, near=row.mount_point)
        found[row.id] = KnownVolume(row, mounted_at=None if mount is None else mount.point)
    return found


def locations_of(path: bytes, volumes: Sequence[VolumeRow]) -> Iterator[Location]:
    """Yield the database locations that `path` (relative or absolute) may have, most likely first, without duplicates.

    The path is tried as written, with its folder's symbolic links resolved, and fully resolved; each relative to the last
    known and to the current mount point of a volume.
    """
    seen: set[Location] = set()
    for candidate in spellings(path):
        for location in _locations_of_one(candidate, volumes):
            if location not in seen:
                seen.add(location)
                yield location


def spellings(path: bytes) -> list[bytes]:
    """Return `path` as absolute paths: as written, with the folder's links resolved, fully resolved; without duplicates.

    Then the same of what is on disk and looks the same, if nothing is there in these bytes.
    """
    found: dict[bytes, None] = {}
    for written in (absolute(path), as_on_disk(absolute(path))):
        folder, name = os.path.split(written)
        resolved_folder = os.path.join(os.path.realpath(folder), name)
        found |= dict.fromkeys((written, resolved_folder, os.path.realpath(written)))
    return list(found)


def _locations_of_one(path: bytes, volumes: Sequence[VolumeRow]) -> Iterator[Location]:
    for row in sorted(volumes, key=lambda one: len(one.mount_point), reverse=True):
        if is_within(path, row.mount_point):
            yield Location(row.id, relative_to(path, row.mount_point))
        elif is_within(composed(path), composed(row.mount_point)):
            yield Location(row.id, path.split(b"/", row.mount_point.count(b"/") + 1)[-1])
    mount = mount_of(path)
    for row in volumes:
        if row.identity == mount.identity and is_within(path, mount.point):
            yield Location(row.id, relative_to(path, mount.point))


def find_file(connection: Connection, path: bytes) -> int | None:
    """Return the id of the file at `path`, or else of one whose path looks the same; None if neither is in the library."""
    locations = list(locations_of(path, all_volumes(connection)))
    for location in chain(locations, _look_alikes(connection, locations)):
        found = file_at(connection, location)
        if found is not None:
            return found
    return None


def find_named(connection: Connection, name: bytes) -> list[NamedFile]:
    """Return a file of each photo that has a file of this name, in any case, with or without its extension; by path.

    Files that belong to no photo count only where no photo has this name.
    """
    files = files_named(connection, name)
    photos = {one.photo_id: one for one in reversed(files) if one.photo_id is not None}
    return sorted(photos.values() or files, key=lambda one: one.path)


def folders_at(connection: Connection, path: bytes, volumes: Sequence[VolumeRow]) -> list[Location]:
    """Return the locations of the folder at `path`, or else of those that look the same, that the library has files below."""
    locations = list(locations_of(path, volumes))
    exact = [location for location in locations if files_below(connection, location)]
    return exact or [location for location in _look_alikes(connection, locations) if files_below(connection, location)]


def _look_alikes(connection: Connection, locations: Iterable[Location]) -> Iterator[Location]:
    return (other for location in locations for other in look_alikes(connection, location))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Files chosen by paths: single files, and folders with everything below them."""

    file_ids: tuple[int, ...]
    locations: tuple[Location, ...]


def choose(connection: Connection, paths: Sequence[bytes]) -> Chosen:
    """Return the files chosen by paths (of files or folders). Raises NothingFound for a path not in the library."""
    volumes = all_volumes(connection)
    file_ids: list[int] = []
    locations: list[Location] = []
    for path in paths:
        file_id = find_file(connection, path)
        if file_id is not None:
            file_ids.append(file_id)
            continue
        around = folders_at(connection, path, volumes)
        if not around:
            raise NothingFound(f"the library has no file at or below {display(path)}")
        locations.extend(around)
    return Chosen(tuple(file_ids), tuple(locations))
