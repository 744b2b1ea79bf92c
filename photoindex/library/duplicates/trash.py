"""The trash folder of `duplicates apply`: on the volume of the copies, and left out of every scan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photoindex import file_access
from photoindex.errors import UsageError
from photoindex.library.disk_errors import disk_errors
from photoindex.library.duplicates import file_operations
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import locations_of
from photoindex.library.originals.roots import Roots
from photoindex.paths import display, is_within
from photoindex.pipeline.scan.exclusion import IGNORE_FILE, reason_for
from photoindex.store.files import volumes

_MARKER = "# Copies of photos, moved here by a plan; the next line keeps scans out of this folder.\n*\n"
_PROBE = b"a photo.jpg"


@dataclass(frozen=True, slots=True)
class Trash:
    """A trash folder. path: absolute, without symbolic links. device: st_dev."""

    path: bytes
    device: int


def find_trash(library: Library, folder: Path) -> Trash:
    """Return the trash folder of this name, which may not exist yet; nothing is written.

    Raises UsageError for a folder that has originals in it, one in the library's own folder, and one without a folder
    around it.
    """
    path = os.path.realpath(os.fsencode(folder))
    shown = display(path)
    if file_access.exists(path) and not file_access.is_folder(path):
        raise UsageError(f"--trash {shown} is not a folder")
    there = path if file_access.exists(path) else os.path.dirname(path)
    if not file_access.is_folder(there):
        raise UsageError(f"--trash {shown}: there is no folder {display(there)}; create it first")
    if not file_access.is_allowed(there, os.W_OK | os.X_OK):
        raise UsageError(f"--trash {shown}: the folder {display(there)} may not be written to")
    for own in (library.folder, library.derived_folder):
        if is_within(path, os.path.realpath(os.fsencode(own))):
            raise UsageError(f"--trash {shown} is in the library's own folder; name another one")
    with library.database.read() as connection:
        for location in locations_of(path, volumes.all_volumes(connection)):
            if volumes.has_present_file_below(connection, location.volume_id, location.path):
                raise UsageError(f"--trash {shown} holds originals of the library; name a folder for copies alone")
    return Trash(path, file_access.status(there).st_dev)


def prepare(library: Library, trash: Trash) -> None:
    """Make the trash folder, and keep scans out of it. Raises UsageError where the settings let them in; StorageFull."""
    marker = os.path.join(trash.path, IGNORE_FILE)
    with disk_errors(f"--trash {display(trash.path)}"):
        file_operations.make_folders(trash.path)
        if not file_access.exists(marker):
            file_operations.write_new(marker, _MARKER)
    for root in scanning(library, trash):
        raise UsageError(
            f"--trash {display(trash.path)} is in {display(root)}, and scans would find the copies there again: its "
            f"{display(IGNORE_FILE)} or the exclude patterns let them in; name a folder outside"
        )


def scanning(library: Library, trash: Trash) -> Iterator[bytes]:
    """Yield the roots whose scans would find files in the trash folder."""
    probe = os.path.join(trash.path, _PROBE)
    for root in Roots(library.database).known:
        top = os.path.realpath(root.path)
        if not is_within(trash.path, top):
            continue
        patterns = (*library.config.scan.exclude, *root.row.excludes)
        follow = root.row.follow_symlinks
        if reason_for(probe, root=top, patterns=patterns, follow_symlinks=follow) is None:
            yield root.path
