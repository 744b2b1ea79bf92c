"""Cuts faces out of previews, square and with some of what is around them."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from photoindex.domain.people.boxes import Box
from photoindex.file_access import read_file
from photoindex.pipeline.ingest import derived_files

SIDE_PX = 160
"""Side of a crop at most; a smaller face is not enlarged."""
_AROUND = 0.35
"""How much is shown on each side of a face, in parts of its longer side: hair, chin and ears help to recognise it."""
_QUALITY = 82
_THREADS = 4


class Place(NamedTuple):
    """Where a face is: in the content with this BLAKE3 digest, in this box."""

    digest: bytes
    box: Box


def face_crops(derived_folder: Path, places: Sequence[Place]) -> list[bytes | None]:
    """Return a square JPEG of each face; None where its preview is missing or damaged.

    A picture with several faces is decoded once.
    """
    by_content: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, place in enumerate(places):
        by_content[place.digest].append(number)
    crops: list[bytes | None] = [None] * len(places)

    def cut(digest: bytes) -> None:
        numbers = by_content[digest]
        made = _crops_of(derived_files.preview_path(derived_folder, digest), [places[one].box for one in numbers])
        for number, crop in zip(numbers, made, strict=True):
            crops[number] = crop

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(cut, by_content))
    return crops


def _crops_of(preview: Path, boxes: Sequence[Box]) -> list[bytes | None]:
    import PIL.Image

    try:
        picture = PIL.Image.open(io.BytesIO(read_file(preview)), formats=("JPEG",)).convert("RGB")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return [None] * len(boxes)
    made: list[bytes | None] = []
    for box in boxes:
        square = square_around(box, picture.width, picture.height)
        crop = picture.crop(square)
        if crop.width > SIDE_PX:
            crop = crop.resize((SIDE_PX, SIDE_PX), PIL.Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        crop.save(buffer, "JPEG", quality=_QUALITY)
        made.append(buffer.getvalue())
    return made


def square_around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, upper, right and lower edge in pixels of a square around a face, moved into the picture.

    width, height: of the picture, in pixels.
    """
    wanted = max(box.width * width, box.height * height) * (1 + 2 * _AROUND)
    side = max(1, min(round(wanted), width, height))
    left = round((box.x + box.width / 2) * width - side / 2)
    upper = round((box.y + box.height / 2) * height - side / 2)
    left, upper = max(0, min(left, width - side)), max(0, min(upper, height - side))
    return left, upper, left + side, upper + side
