"""Preview and thumbnail files: named by the content's digest, written atomically."""

from __future__ import annotations

import os
from pathlib import Path

from photoindex.atomic_files import atomic_file, sync_folder
from photoindex.file_access import open_file
from photoindex.types import Derived

_UNFINISHED = "unfinished"
"""Files are written in this one folder and renamed, so that leftovers of killed workers are easy to find."""
_END_OF_IMAGE = b"\xff\xd9"


def preview_path(folder: Path, digest: bytes) -> Path:
    """Return the path of a content's preview; with 4,096 folders, a million files are a few hundred per folder."""
    name = digest.hex()
    return folder / name[:3] / f"{name}.preview.jpg"


def thumbnail_path(folder: Path, digest: bytes) -> Path:
    """Return the path of a content's thumbnail."""
    name = digest.hex()
    return folder / name[:3] / f"{name}.thumb.jpg"


def exist(folder: Path, digest: bytes) -> bool:
    """Tell whether both derived files of a content exist and end with a JPEG end marker."""
    try:
        return is_whole(preview_path(folder, digest)) and is_whole(thumbnail_path(folder, digest))
    except OSError:
        return False  # missing or unreadable; writing new ones will show which


def is_whole(path: Path) -> bool:
    """Tell whether a file ends as a JPEG does. Raises OSError."""
    with open_file(path, buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_END_OF_IMAGE)))
        return file.read() == _END_OF_IMAGE


def write(folder: Path, digest: bytes, derived: Derived) -> None:
    """Write both files atomically. Raises OSError, e.g. with ENOSPC.

    They are synced to disk before the database lists them: 0.9 ms per photo on NVMe, while decoding takes about 90 ms.
    """
    preview = preview_path(folder, digest)
    if not preview.parent.is_dir():
        preview.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(folder)
    _write_whole(folder, thumbnail_path(folder, digest), derived.thumbnail_jpeg)
    _write_whole(folder, preview, derived.preview_jpeg)


def _write_whole(folder: Path, path: Path, data: bytes) -> None:
    unfinished = folder / _UNFINISHED
    if not unfinished.is_dir():
        unfinished.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, temporary=unfinished / f"{path.name}.{os.getpid()}") as file:
        file.write(data)


def unfinished_files(folder: Path) -> list[Path]:
    """Return files that are being written, or that killed workers left unfinished."""
    return list((folder / _UNFINISHED).glob("*"))


def remove_unfinished(folder: Path) -> int:
    """Remove files that killed workers left unfinished; return how many. Call it while nothing else writes."""
    removed = 0
    for path in unfinished_files(folder):
        path.unlink(missing_ok=True)
        removed += 1
    return removed
