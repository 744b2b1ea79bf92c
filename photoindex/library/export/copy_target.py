"""The folder that photos are copied into: made where it may be, and never among the originals."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from photoindex import file_access
from photoindex.errors import StorageFull, UsageError
from photoindex.library.export.new_files import remove_unfinished
from photoindex.library.handle import Library
from photoindex.library.originals.roots import Roots
from photoindex.library.photos.why import rule_excluding
from photoindex.paths import display, is_within
from photoindex.permissions import apply_users_umask

_SPARE_BYTES = 16 << 20
_PROBE = b"photo.jpg"


class CopyTarget:
    """A target folder; `folder` makes those below it."""

    def __init__(self, library: Library, named: Path) -> None:
        """Check the folder; nothing is made yet. Raises UsageError."""
        self.path = os.fsencode(file_access.from_root(named))
        self._library = library
        self._roots = Roots(library.database)
        self._own = [
            os.path.realpath(os.fsencode(one))
            for one in (library.folder, library.derived_folder, library.models_folder)
        ]
        self._known: set[bytes] = set()
        if file_access.exists(self.path) and not file_access.is_folder(self.path):
            raise UsageError(f"{display(self.path)} is not a folder; name one, or one that is not there yet")
        self._check(self.path)

    def folder(self, below: Sequence[bytes], *, make: bool) -> bytes:
        """Return a folder below the target, made where it is not there yet. Raises UsageError, OSError."""
        path = os.path.join(self.path, *below)
        if path not in self._known:
            self._check(path)
            if make:
                _make_folders(path)
                # A link on the way may be another one now.
                self._check(path)
                remove_unfinished(path)
            self._known.add(path)
        return path

    def check_space(self, needed_bytes: int) -> None:
        """Raise StorageFull if the disk has not so much room, and a little more."""
        there = self.path
        while not file_access.is_folder(there):
            there = os.path.dirname(there)
        free = shutil.disk_usage(there).free
        if needed_bytes + (_SPARE_BYTES if needed_bytes else 0) > free:
            raise StorageFull(
                f"the photos need {needed_bytes / 1e6:,.0f} MB, and the disk of {display(self.path)} has {free / 1e6:,.0f} MB left; "
                "free some space, or find fewer photos"
            )

    def _check(self, path: bytes) -> None:
        """Raise UsageError for a folder in the library, or where the next scan would find its photos."""
        real = os.path.realpath(path)
        shown = display(path)
        if any(is_within(real, own) for own in self._own):
            raise UsageError(f"{shown} is in the library's own folder; name another folder")
        root = self._roots.containing(real)
        # Of a folder that is not there yet, a file in it shows whether it is excluded.
        if root is not None and rule_excluding(self._library, os.path.join(real, _PROBE), root) is None:
            raise UsageError(
                f"{shown} is in the scanned folder {display(root.path)}, where the copies would become photos of the library, too; "
                f"name a folder outside, or one that a .photoindexignore there excludes"
            )


def _make_folders(path: bytes) -> None:
    """Make a folder, with those above it, as the user's own umask says. Raises UsageError, OSError."""
    if file_access.is_folder(path):
        return
    _make_folders(os.path.dirname(path))
    with file_access.reached(path) as short:
        try:
            os.mkdir(short)
        except FileExistsError as error:
            raise UsageError(f"{display(path)} is not a folder, and the layout needs one there") from error
        descriptor = os.open(short, os.O_RDONLY | os.O_DIRECTORY)
        try:
            apply_users_umask(descriptor, 0o777)
        finally:
            os.close(descriptor)
