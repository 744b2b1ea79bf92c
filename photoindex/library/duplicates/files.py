"""The current state of the files of duplicates, and pictures in them that were not compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from photoindex import file_access
from photoindex.domain.words.carried import Words
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume
from photoindex.media.identify.jpeg_quality import jpeg_quality
from photoindex.media.identify.multi_picture import multi_picture_reason
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.paths import is_within, relative_to
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto, photos_to_rank
from photoindex.store.photos.words_of_photos import words_of

PRESENT, CHANGED, GONE, AWAY = "present", "changed", "gone", "away"
_CHUNK_PHOTOS = 500
_THREADS = 8
"""A network share answers several requests as quickly as one."""
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class FileStatus:
    """The current status of a file. state: present (unchanged since its scan), changed, gone, or away (not reachable).

    identity: device and inode, None if it is gone; two paths with the same identity are one file.
    """

    state: str
    identity: tuple[int, int] | None = None


def file_status(path: bytes, size_bytes: int, mtime_ns: int) -> FileStatus:
    """Stat a file and compare its size and mtime (nanoseconds since 1970) with those of its last scan."""
    try:
        status = file_access.status(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return FileStatus(GONE)
    except OSError:
        return FileStatus(AWAY)
    same = stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (size_bytes, mtime_ns)
    return FileStatus(PRESENT if same else CHANGED, (status.st_dev, status.st_ino))


class CopyPhotos:
    """The photos of candidate groups with the current state of their files; files that are gone are left out.

    states: by file id. gone: how many files of these photos are gone since the last scan. words: by photo id.
    """

    def __init__(self, library: Library, numbers: Collection[int], volumes: Mapping[int, KnownVolume]) -> None:
        self.states: dict[int, str] = {}
        self.gone = 0
        self.words: dict[int, Words] = {}
        self._qualities: dict[int, int | None] = {}
        self._volumes = volumes
        self._found: dict[int, CopyPhoto] = {}
        ordered = sorted(numbers)
        with ThreadPoolExecutor(_THREADS, "stat") as pool:
            for start in range(0, len(ordered), _CHUNK_PHOTOS):
                with library.database.read() as connection:
                    photos = photos_to_rank(connection, ordered[start : start + _CHUNK_PHOTOS])
                    self.words |= words_of(connection, list(photos))
                self._take(photos, pool)

    def get(self, number: int) -> CopyPhoto | None:
        """Return a photo, None if it is gone or has no file left."""
        return self._found.get(number)

    def further_pictures(self, content: CopyContent) -> str | None:
        """Read a content's file and describe what it shows besides the compared picture, None if nothing."""
        for file in content.files:
            if self.states.get(file.id) == PRESENT:
                return _further_pictures(file.path, content.format)
        return None

    def quality(self, content: CopyContent) -> int | None:
        """Read the quality of a JPEG from its file, 1 to 100; None if it is none, or cannot be read."""
        if content.format != "jpeg":
            return None
        if content.asset_id not in self._qualities:
            here = (file.path for file in content.files if self.states.get(file.id) == PRESENT)
            path = next(here, None)
            self._qualities[content.asset_id] = None if path is None else _quality(path)
        return self._qualities[content.asset_id]

    def _take(self, photos: Mapping[int, CopyPhoto], pool: ThreadPoolExecutor) -> None:
        files = [
            self._at_current_mount(file) for photo in photos.values() for one in photo.contents for file in one.files
        ]
        states = dict(zip((file.id for file in files), pool.map(self._state, files), strict=True))
        self.gone += sum(state == GONE for state in states.values())
        self.states |= {number: state for number, state in states.items() if state != GONE}
        by_id = {file.id: file for file in files}
        for number, photo in photos.items():
            contents = tuple(
                replace(one, files=tuple(by_id[file.id] for file in one.files if states[file.id] != GONE))
                for one in photo.contents
            )
            if any(one.files for one in contents):
                self._found[number] = replace(photo, contents=contents)

    def _at_current_mount(self, file: CopyFile) -> CopyFile:
        """Return a file with its path below the current mount point of its volume."""
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
        return file_status(file.path, file.size_bytes, file.mtime_ns).state


def state_text(state: str) -> str:
    """Return a state as text for a message about a file."""
    return {CHANGED: "changed since the last scan", AWAY: "away"}.get(state, state)


def _quality(path: bytes) -> int | None:
    try:
        with _reader(path) as reader:
            return jpeg_quality(reader)
    except OSError:
        return None


def _reader(path: bytes) -> RangedReader:
    with file_access.open_file(path) as stream:
        head = stream.read(_HEAD_BYTES)
    return RangedReader(head, lambda: file_access.open_file(path))


def _further_pictures(path: bytes, format_name: str) -> str | None:
    try:
        with _reader(path) as reader:
            return multi_picture_reason(reader, format_name)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
