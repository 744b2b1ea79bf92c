"""The files of copies as they are now: which are there, and what they hold besides the picture that was compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume
from photoindex.media.identify.multi_picture import multi_picture_reason
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.paths import is_within, relative_to
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto, photos_to_rank

PRESENT, CHANGED, GONE, AWAY = "present", "changed", "gone", "away"
_CHUNK_PHOTOS = 500
_THREADS = 8
"""A network share answers some at once as quickly as one."""
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it is now. state: present as it was scanned, changed since, gone, or away (it cannot be reached).

    identity: device and inode, None where it is not there: two paths with the same one are one file.
    """

    state: str
    identity: tuple[int, int] | None = None


def look_at(path: bytes, size_bytes: int, mtime_ns: int) -> Look:
    """Look at a file (stat) and compare size and time (nanoseconds since 1970) with those of its last scan."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return Look(GONE)
    except OSError:
        return Look(AWAY)
    same = stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (size_bytes, mtime_ns)
    return Look(PRESENT if same else CHANGED, (status.st_dev, status.st_ino))


class CopyPhotos:
    """The photos that may stand in a group, with their files as they are now; those that are gone take no part.

    states: by file number. gone: how many files of these photos are gone since the last scan.
    """

    def __init__(self, library: Library, numbers: Collection[int], volumes: Mapping[int, KnownVolume]) -> None:
        self.states: dict[int, str] = {}
        self.gone = 0
        self._volumes = volumes
        self._found: dict[int, CopyPhoto] = {}
        ordered = sorted(numbers)
        with ThreadPoolExecutor(_THREADS, "stat") as pool:
            for start in range(0, len(ordered), _CHUNK_PHOTOS):
                with library.database.read() as connection:
                    photos = photos_to_rank(connection, ordered[start : start + _CHUNK_PHOTOS])
                self._take(photos, pool)

    def get(self, number: int) -> CopyPhoto | None:
        """Return a photo, None where it is gone or none of its files is left."""
        return self._found.get(number)

    def further_pictures(self, content: CopyContent) -> str | None:
        """Return in words what a content shows besides the picture that was compared, None where nothing; its file is read."""
        for file in content.files:
            if self.states.get(file.id) == PRESENT:
                return _further_pictures(file.path, content.format)
        return None

    def _take(self, photos: Mapping[int, CopyPhoto], pool: ThreadPoolExecutor) -> None:
        files = [self._where_it_is(file) for photo in photos.values() for one in photo.contents for file in one.files]
        looks = dict(zip((file.id for file in files), pool.map(self._state, files), strict=True))
        self.gone += sum(state == GONE for state in looks.values())
        self.states |= {number: state for number, state in looks.items() if state != GONE}
        by_id = {file.id: file for file in files}
        for number, photo in photos.items():
            contents = tuple(
                replace(one, files=tuple(by_id[file.id] for file in one.files if looks[file.id] != GONE))
                for one in photo.contents
            )
            if any(one.files for one in contents):
                self._found[number] = replace(photo, contents=contents)

    def _where_it_is(self, file: CopyFile) -> CopyFile:
        """Return a file with its path below the place where its volume is mounted now."""
        volume = self._volumes.get(file.volume_id)
        if volume is None or volume.mounted_at in (None, volume.row.mount_point):
            return file
        assert volume.mounted_at is not None
        if not is_within(file.path, volume.row.mount_point):
            return file
        return replace(file, path=os.path.join(volume.mounted_at, relative_to(file.path, volume.row.mount_point)))

    def _state(self, file: CopyFile) -> str:
        volume = self._volumes.get(file.volume_id)
        if volume is None or not volume.online:
            return AWAY
        return look_at(file.path, file.size_bytes, file.mtime_ns).state


def states_in_words(state: str) -> str:
    """Return a state as it reads in a sentence about a file."""
    return {CHANGED: "changed since the last scan", AWAY: "away"}.get(state, state)


def _further_pictures(path: bytes, format_name: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
        with RangedReader(head, lambda: open(path, "rb")) as reader:
            return multi_picture_reason(reader, format_name)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
