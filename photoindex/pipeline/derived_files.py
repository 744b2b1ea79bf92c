"""Where previews and thumbnails lie: named by the content's digest, written under another name and renamed."""

from __future__ import annotations

import os
from pathlib import Path

from photoindex.types import Derived


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
    except FileNotFoundError:
        return False


def write(folder: Path, digest: bytes, derived: Derived) -> None:
    """Write both files, each complete or not at all. Raises OSError, ENOSPC among others."""
    preview = preview_path(folder, digest)
    preview.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(thumbnail_path(folder, digest), derived.thumbnail_jpeg)
    _write_whole(preview, derived.preview_jpeg)


def _write_whole(path: Path, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb", buffering=0) as stream:
            written = stream.write(data)
            if written != len(data):  # a disk that fills up can take a part without an error
                stream.write(data[written:])
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
