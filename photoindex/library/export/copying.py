"""Copies or links photos into a folder: nothing is overwritten, and a run that was interrupted goes on where it was."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from photoindex import file_access
from photoindex.errors import UsageError
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.disk_errors import disk_errors
from photoindex.library.duplicates.file_operations import digest_of, has_same_bytes
from photoindex.library.export.copy_target import CopyTarget
from photoindex.library.export.layout import Layout
from photoindex.library.export.new_files import Changed, copy_new, link_new
from photoindex.library.export.photo_sets import PhotoSet, PhotoSets, SetFile
from photoindex.library.handle import Library
from photoindex.paths import display, shell_word
from photoindex.progress import EventSink

_NUMBERS_MAX = 100_000


class How(StrEnum):
    """What is made of each file."""

    COPY = "copy"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"


class Action(StrEnum):
    """What became of a file. THERE: it was there already, with the same bytes."""

    MADE = "made"
    THERE = "there"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """What to copy where. photo_ids: in this order. stop: tells between two photos whether to end."""

    photo_ids: Sequence[int]
    target: Path
    layout: Layout
    how: How = How.COPY
    dry_run: bool = False
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, and why it failed. source: b"" for a photo without a file. numbered: its name got a number."""

    photo_id: int
    source: bytes
    target: bytes
    action: Action
    size_bytes: int = 0
    numbered: bool = False
    problem: str = ""


def copy_photos(library: Library, request: Request, emit: EventSink) -> Iterator[Outcome]:
    """Copy or link the files of photos, with their sidecars and companions, and yield what became of each.

    Copies are checked against the library's BLAKE3 while they are made. Raises UsageError for a target among the originals
    or where nothing can be written, StorageFull before anything is copied where the disk has not enough room.
    """
    target = CopyTarget(library, request.target)
    maker = _Maker(request, target, PhotoSets(library, request.layout))
    total = None
    if request.how is How.COPY:
        with disk_errors(f"reading {display(target.path)}"):
            total = sum(map(maker.missing_bytes, maker.sets.of(request.photo_ids)))
        target.check_space(total)
    if request.dry_run or not total:
        yield from maker.run(lambda _bytes: None)
        return
    with ByteProgress(emit, "copying", total) as progress:
        done = 0

        def advance(size_bytes: int) -> None:
            nonlocal done
            done += size_bytes
            progress.advance(done)

        yield from maker.run(advance)


@dataclass(slots=True)
class _Maker:
    """Makes the files of one run.

    planned: what a dry run would have made at which place. compared: whether a place has what belongs there, of one photo.
    """

    request: Request
    target: CopyTarget
    sets: PhotoSets
    planned: dict[bytes, SetFile] = field(default_factory=dict)
    compared: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)

    def run(self, progress: Callable[[int], None]) -> Iterator[Outcome]:
        for one in self.sets.of(self.request.photo_ids):
            if self.request.stop():
                return
            with disk_errors(f"writing to {display(self.target.path)}"):
                outcomes = list(self._put(one, progress))
            yield from outcomes

    def missing_bytes(self, one: PhotoSet) -> int:
        """Return the size of what is not at its place yet, by names and sizes alone."""
        folder = os.path.join(self.target.path, *one.folders)
        return sum(
            each.size_bytes for each in one.files if _size(os.path.join(folder, each.name(1))) != each.size_bytes
        )

    def _put(self, one: PhotoSet, progress: Callable[[int], None]) -> Iterator[Outcome]:
        if not one.files:
            yield Outcome(one.photo_id, b"", b"", Action.FAILED, problem="none of its files is present")
            return
        reachable = [each for each in one.files if each.path is not None and file_access.is_file(each.path)]
        for each in one.files:
            if each not in reachable:
                problem = "it is not there now; is its disk mounted?"
                yield Outcome(one.photo_id, each.known_path, b"", Action.FAILED, problem=problem)
        if not reachable:
            return
        self.compared.clear()
        folder = self.target.folder(one.folders, make=not self.request.dry_run)
        number = self._number(folder, reachable)
        for each in reachable:
            yield self._make(one.photo_id, folder, each, number, progress)

    def _number(self, folder: bytes, files: Sequence[SetFile]) -> int:
        """Return the number for the names of files that go together: where they are, or where all places are free."""
        contents = [each for each in files if each.digest is not None]
        for number in range(1, _NUMBERS_MAX):
            if contents and all(self._is_there(folder, each, number) for each in contents):
                return number
            if all(self._is_free(folder, each, number) or self._is_there(folder, each, number) for each in files):
                return number
        return _NUMBERS_MAX

    def _make(
        self, photo_id: int, folder: bytes, file: SetFile, number: int, progress: Callable[[int], None]
    ) -> Outcome:
        assert file.path is not None
        # A sidecar that was edited since it was copied goes beside the earlier one.
        while not (self._is_free(folder, file, number) or self._is_there(folder, file, number)):
            number += 1
        place = os.path.join(folder, file.name(number))
        made = Outcome(photo_id, file.path, place, Action.MADE, file.size_bytes, numbered=number > 1)
        if self._is_there(folder, file, number):
            return Outcome(photo_id, file.path, place, Action.THERE, file.size_bytes)
        if self.request.dry_run:
            self.planned[place] = file
            return made
        try:
            if self.request.how is How.COPY:
                copy_new(file.path, place, file.digest, progress)
            else:
                link_new(file.path, place, hard=self.request.how is How.HARD_LINK)
        except Changed:
            problem = f"it has changed since it was scanned; run: photoindex scan {shell_word(file.path)}"
            return Outcome(photo_id, file.path, place, Action.FAILED, problem=problem)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise UsageError(
                    f"hard links stay on one disk, and {display(self.target.path)} is on another than {display(file.path)}; leave out "
                    "--hard for symbolic links"
                ) from error
            if not _is_about_source(error, file.path):
                raise
            return Outcome(photo_id, file.path, place, Action.FAILED, problem=f"it cannot be read: {error.strerror}")
        return made

    def _is_free(self, folder: bytes, file: SetFile, number: int) -> bool:
        place = os.path.join(folder, file.name(number))
        return place not in self.planned and not file_access.exists(place)

    def _is_there(self, folder: bytes, file: SetFile, number: int) -> bool:
        """Tell whether a place has this file: the same bytes, or the link that would be made."""
        place = os.path.join(folder, file.name(number))
        if place in self.planned:
            return self.planned[place] is file
        assert file.path is not None
        key = (place, file.path)
        if key not in self.compared:
            self.compared[key] = self._compare(place, file, file.path)
        return self.compared[key]

    def _compare(self, place: bytes, file: SetFile, path: bytes) -> bool:
        if file_access.is_link(place):
            with file_access.reached(place) as short:
                return self.request.how is How.SYMLINK and os.readlink(short) == path
        if _size(place) != file_access.status(path).st_size:
            return False
        if file.digest is not None:
            return digest_of(place) == file.digest
        return has_same_bytes(place, path)


def _size(path: bytes) -> int | None:
    try:
        return file_access.status(path, follow_symlinks=False).st_size if file_access.is_file(path) else None
    except OSError:
        return None


def _is_about_source(error: OSError, source: bytes) -> bool:
    """Tell whether an error came from reading the original and not from writing."""
    return error.filename is not None and os.fsencode(error.filename) == source and error.filename2 is None
