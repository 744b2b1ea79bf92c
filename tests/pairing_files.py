"""Files that are one photo: made-up pictures that the rules of pairing join, or do not."""

from __future__ import annotations

from pathlib import Path

from tests.originals import jpeg
from tests.unit.media_pictures import dng, scene

NOON = "2019:06:01 12:00:00"
CAMERA = "Photoindex Test Camera"


def write_still(path: Path, seed: int, *, taken: str | None = NOON) -> Path:
    """Write a JPEG of the camera that `write_raw`'s is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(seed, taken=taken, camera=CAMERA))
    return path


def write_raw(path: Path, seed: int) -> Path:
    """Write a small DNG without a time, of a content of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dng(scene(64, 40), preview=jpeg(seed)) + bytes([seed]))
    return path
