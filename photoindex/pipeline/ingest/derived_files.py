"""Where previews and thumbnails lie: named by the content's digest, written under another name and renamed."""

from __future__ import annotations

import os
from pathlib import Path

from photoindex.types import Derived

_UNFINISHED = "unfinished"
"""Files are written in this one folder and renamed, so that what a killed worker leaves is found without a search."""


def preview_path(folder: Path, digest: bytes) -> Path:
    """Return the place of a content's preview; 4,096 folders keep a million files at some hundreds a folder."""
    name = digest.hex()
    return folder / name[:3] / f"{name}.preview.jpg"


def thumbnail_path(folder: Path, digest: bytes) -> Path:
    """Return the place of a content's thumbnail."""
    name = digest.hex()
    return folder / name[:3] / f"{name}.thumb.jpg"


def exist(folder: Path, digest: bytes) -> bool:
    """Tell whether both derived files of a content are there and not empty."""
    try:
        return os.stat(preview_path(folder, digest)).st_size > 0 and os.stat(thumbnail_path(folder, digest)).st_size > 0
    except OSError:
        return False  # not there, or not to be looked at: making them anew tells which


def write(folder: Path, digest: bytes, derived: Derived) -> None:
    """Write both files, each complete or not at all. Raises OSError, ENOSPC among others."""
    preview = preview_path(folder, digest)
    preview.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(folder, thumbnail_path(folder, digest), derived.thumbnail_jpeg)
    _write_whole(folder, preview, derived.preview_jpeg)


def _write_whole(folder: Path, path: Path, data: bytes) -> None:
    unfinished = folder / _UNFINISHED
    temporary = unfinished / f"{path.name}.{os.getpid()}"
    if not unfinished.is_dir():
        unfinished.mkdir(parents=True, exist_ok=True)
    try:
        with open(temporary, "wb", buffering=0) as stream:
            view = memoryview(data)
            while view:  # a disk that fills up may take a part without an error
                view = view[stream.write(view) :]
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> int:
    """Remove what killed workers left half-written; return how many files. Call while nobody else writes."""
    removed = 0
    for path in (folder / _UNFINISHED).glob("*"):
        path.unlink(missing_ok=True)
        removed += 1
    return removed
