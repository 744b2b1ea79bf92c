"""Made-up originals: small pictures, each with different content."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def jpeg(
    seed: int, *, size: tuple[int, int] = (160, 120), taken: str | None = None, camera: str | None = None
) -> bytes:
    """Return a JPEG of soft colours drawn from `seed`, with EXIF if requested (taken: "2019:06:01 12:00:00")."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 255, (6, 8, 3), np.uint8), "RGB")
    picture = small.resize(size, Image.Resampling.BICUBIC)
    exif = Image.Exif()
    if camera is not None:
        exif[0x010F], exif[0x0110] = camera.split(" ", 1)[0], camera
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85, exif=exif)
    return out.getvalue()


def write_photo(path: Path, seed: int, **more: object) -> Path:
    """Write `jpeg(seed)` to `path`, creating folders as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(seed, **more))  # type: ignore[arg-type]
    return path


def write_photos(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """Write `count` different photos into `folder`, some in subfolders."""
    return [write_photo(folder / f"{seed % 3}" / f"IMG_{seed:04d}.jpg", seed) for seed in range(first, first + count)]
