"""Where snapshots go: a folder that a person once declared to be a backup destination.

Without that, `backup /mnt/disk` with the disk away would make the folder on the system disk and fill it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from photoindex import __version__
from photoindex.atomic_files import atomic_file
from photoindex.errors import UsageError
from photoindex.library.backup.snapshots import list_snapshots
from photoindex.library.timestamps import utc
from photoindex.paths import display, shell_word

MARKER_NAME = "photoindex-backups.json"


def is_destination(folder: Path, library_id: str) -> bool:
    """Tell whether `folder` carries the marker, or already holds a snapshot of this library."""
    if not folder.is_dir():
        return False
    return (folder / MARKER_NAME).is_file() or any(
        one.manifest is not None and one.manifest.library_id == library_id for one in list_snapshots(folder)
    )


def open_destination(folder: Path, library_id: str, *, initialise: bool) -> None:
    """Make sure that `folder` is a backup destination and carries the marker.

    initialise: make the folder and its marker where they are missing. Raises UsageError for a folder that is no
    destination, or a file; OSError.
    """
    if initialise:
        folder.mkdir(parents=True, exist_ok=True)
    elif not is_destination(folder, library_id):
        raise UsageError(_refusal(folder))
    marker = folder / MARKER_NAME
    if not marker.is_file():
        note = {"schema": 1, "created_at": utc(time.time()), "program_version": __version__}
        with atomic_file(marker) as file:
            file.write(json.dumps(note, indent=2).encode("ascii") + b"\n")


def on_the_same_disk(folder: Path, library_folder: Path) -> bool:
    """Tell whether both folders lie on one file system, so that one disk takes both with it."""
    return os.stat(folder).st_dev == os.stat(library_folder).st_dev


def _refusal(folder: Path) -> str:
    shown = display(os.fsencode(folder))
    if folder.exists() and not folder.is_dir():
        return f"{shown} is not a folder; snapshots need one"
    problem = "is not a backup destination yet" if folder.is_dir() else "does not exist"
    return (
        f"{shown} {problem}, and nothing was written. If its disk is not mounted, mount it; "
        f"to use it from now on: photoindex backup {shell_word(os.fsencode(folder))} --init"
    )
