"""Compares the previews of RAW files with other programs' pictures and with the camera's own: orientation, crop, colour.

    python benchmarks/raw_previews.py FOLDER [--sheet PNG]

FOLDER holds photos of any kind (searched recursively); RAW files are found by their content. The other programs are
those of dcraw, rawtherapee and darktable that are installed; the camera's JPEG inside the file needs
libimage-exiftool-perl. Prints a line per file and program; `--sheet` also draws all pictures side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from photoindex.media.content import read_content
from photoindex.media.decode.decode import decode
from photoindex.media.decode.scale import fitted, shrink
from photoindex.media.identify.kind import sniff
from photoindex.media.problems import MediaProblem
from photoindex.types import Kind, Limits
from tests.raw_renderers import RENDERERS, Difference, Picture, compare, installed

PREVIEW_PX, CELL_PX = 1024, 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path, help="PNG to write: a row per file, ours first")
    options = parser.parse_args()
    names = installed()
    rows: list[list[Picture | None]] = []
    print(f"{'file':32} {'size':>9} {'with':12} turn order aspect  crop%  corr light colour cast")
    for path, ours in previews(options.folder):
        if isinstance(ours, str):
            print(f"{path.name[-32:]:32} {'-':>9} {ours}")
            continue
        others = {name: RENDERERS[name][1](path) for name in names}
        rows.append([ours, *others.values()])
        for name, other in others.items():
            size = f"{ours.shape[1]}x{ours.shape[0]}"
            text = "cannot read it" if other is None else line(compare(ours, other))
            print(f"{path.name[-32:]:32} {size:>9} {name:12} {text}", flush=True)
    if options.sheet and rows:
        draw(options.sheet, rows)
    return 0


def previews(folder: Path) -> Iterator[tuple[Path, Picture | str]]:
    """Yield each RAW file with its preview, or with the reason why there is none."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = read_content(os.fsencode(path))
        media = sniff(content.head, content.open) if content.size_bytes else None
        if media is None or media.kind is not Kind.RAW:
            continue
        try:
            pixels = decode(content, media, PREVIEW_PX, Limits())
        except MediaProblem as problem:
            yield path, str(problem)
            continue
        for note in pixels.notes:
            print(f"{path.name}: {note}", file=sys.stderr)
        yield path, pixels.array


def line(found: Difference) -> str:
    cast = f"{found.cast[0]:+.0f}{found.cast[1]:+.0f}"
    numbers = f"{found.aspect:6.3f} {found.crop:6.2f} {found.correlation:5.2f} {found.light:5.2f} {found.colour:6.1f}"
    return f"{found.orientation:4} {found.channels:>5} {numbers} {cast}"


def draw(path: Path, rows: list[list[Picture | None]]) -> None:
    import cv2

    sheet = np.full((len(rows) * CELL_PX, max(map(len, rows)) * CELL_PX, 3), 128, np.uint8)
    for top, row in enumerate(rows):
        for left, picture in enumerate(row):
            if picture is None:
                continue
            small = shrink(picture, fitted(picture.shape[1], picture.shape[0], CELL_PX - 4))
            height, width = small.shape[:2]
            sheet[top * CELL_PX : top * CELL_PX + height, left * CELL_PX : left * CELL_PX + width] = small
    cv2.imwrite(os.fspath(path), sheet[..., ::-1])


if __name__ == "__main__":
    sys.exit(main())
