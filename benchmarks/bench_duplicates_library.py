"""Duplicates of a large library, as whole processes: all pictures, the same again, and with new ones among them.

    python benchmarks/bench_duplicates_library.py [--quick] [--photos 100000] [--new 1000]

The rows are made up; hashes and thumbnails are of drawn pictures of which no two are alike but one in twenty, a copy: smaller,
compressed, cropped, or brighter. The originals do not exist, as where a disk is away. CPU seconds are those of the process alone.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from common import options, peak_memory, report
from PIL import Image, ImageEnhance
from sqlalchemy import select, update
from tqdm import tqdm

# The tests are not an installed package; this benchmark uses their edits and their generator of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.domain.same_picture.hashes import VERSION, hashes_of
from photoindex.pipeline.ingest.derived_files import preview_path, thumbnail_path
from photoindex.store.photos import hashes
from photoindex.store.schema.tables import asset
from photoindex.types import PictureHash
from tests.edits import cut, jpeg, scaled, scene
from tests.synthetic import make_library

SIZE = (256, 192)
_PART = 500
COPIES: Sequence[Callable[[Image.Image], Image.Image]] = (
    lambda picture: scaled(picture, 0.6),
    lambda picture: cut(picture, 0.05, 0.05, 0.95, 0.95),
    lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    lambda picture: cut(picture, 0.0, 0.1, 0.8, 0.9),
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=1_000)
    given = parser.parse_args()
    photos, new = (1_500, 100) if given.quick else (given.photos, given.new)
    with tempfile.TemporaryDirectory(prefix="bench-duplicates-", dir=given.work) as temporary:
        folder = make_library(Path(temporary) / "library", photos)
        ids = fill(folder)
        measure(folder, "all", ids[:-new], ids)
        measure(folder, "again", ids[:-new], ids)
        measure(folder, f"{new:,} new", ids, ids)


def fill(folder: Path) -> list[int]:
    """Give every picture hashes and a thumbnail; return the contents that have them."""
    with open_library(Config(library=folder)) as library:
        with library.database.write() as connection:
            chosen = asset.c.role == "primary"
            connection.execute(update(asset).where(chosen).values(perceptual_hash=asset.c.id, facts={}, kind="image"))
            ids = list(connection.execute(select(asset.c.id).where(chosen).order_by(asset.c.id)).scalars())
        parts = [(ids[start : start + _PART], start) for start in range(0, len(ids), _PART)]
        with ProcessPoolExecutor(2) as pool:
            bar = tqdm(pool.map(_hashed, *zip(*parts, strict=True)), total=len(parts), desc="pictures", file=sys.stderr)
            for (some, _), made in zip(parts, bar, strict=True):
                with library.database.write() as connection:
                    found = {number: one for number, (one, _) in zip(some, made, strict=True)}
                    hashes.put(connection, found, version=VERSION)
                for number, (_, thumbnail) in zip(some, made, strict=True):
                    path = thumbnail_path(library.derived_folder, number.to_bytes(32, "big"))
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(thumbnail)
                    os.link(path, preview_path(library.derived_folder, number.to_bytes(32, "big")))
    return ids


def _hashed(ids: Sequence[int], start: int) -> list[tuple[PictureHash, bytes]]:
    return [_picture(start + place) for place in range(len(ids))]


def _picture(number: int) -> tuple[PictureHash, bytes]:
    """Return the hashes and the thumbnail of a picture: one in twenty is a copy of the one ten places before."""
    is_copy = number % 20 == 15
    picture = _landscape(number - 10 if is_copy else number)
    if is_copy:
        picture = COPIES[number // 20 % len(COPIES)](picture).convert("RGB")
    found = hashes_of(np.asarray(picture.convert("L")))
    packed = PictureHash(found.full, found.windows.astype("<u8").tobytes(), found.content.packed())
    return packed, jpeg(picture, 80)


def _landscape(seed: int) -> Image.Image:
    """Return a drawn scene over soft light whose power falls with frequency as in photographs, so that hashes are as alike as theirs."""
    random = np.random.default_rng(seed)
    width, height = SIZE
    across, down = np.fft.rfftfreq(width) * width, np.fft.fftfreq(height) * height
    waves = random.normal(size=(height, len(across))) + 1j * random.normal(size=(height, len(across)))
    waves /= np.maximum(np.hypot(across[None], down[:, None]), 1) ** 1.3
    light = np.fft.irfft2(waves, (height, width))
    light = 128 + 60 * (light - light.mean()) / light.std()
    drawn = np.asarray(scene(seed, SIZE), np.float64)
    return Image.fromarray(np.clip(0.75 * light[..., None] + 0.25 * drawn, 0, 255).astype(np.uint8))


def measure(folder: Path, what: str, hashed: Sequence[int], ids: Sequence[int]) -> None:
    """Search; only the contents `hashed` were read yet."""
    with open_library(Config(library=folder)) as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE asset SET derived = id <= ? WHERE role = 'primary'", (hashed[-1],))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "photoindex", "duplicates", "--json", "--progress", "plain"],
            env={**os.environ, "PHOTOINDEX_LIBRARY": str(folder)}, stdout=output, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with peak_memory(psutil.Process(process.pid)) as memory:
            log = process.communicate()[1]
        output.seek(0)
        groups = [json.loads(line) for line in output]
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 1):
        raise SystemExit(log)
    right = {(number - 10, number) for number in range(len(hashed)) if number % 20 == 15}
    places = {number: place for place, number in enumerate(ids)}
    found = set(_pairs(groups, places))
    with open_library(Config(library=folder)) as library, library.database.read() as connection:
        marked = connection.exec_driver_sql("SELECT count(*) FROM picture_hash WHERE compared IS NOT NULL").scalar_one()
    report(
        "duplicates_library", photos=len(hashed), what=what, seconds=round(seconds, 1),
        cpu_seconds=round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        peak_memory_mb=round(memory["peak_mb"]), groups=len(groups), recall_of_copies=round(len(found & right) / len(right), 4),
        wrong_pairs=len(found - right), compared_contents=marked, log=log.splitlines()[-3:],
    )  # fmt: skip


def _pairs(groups: Sequence[dict[str, Any]], places: dict[int, int]) -> Iterator[tuple[int, int]]:
    for group in groups:
        contents = {int(one["digest"], 16) for one in group["files"]}
        members = sorted(places[one] for one in contents if one in places)
        yield from ((first, second) for at, first in enumerate(members) for second in members[at + 1 :])


if __name__ == "__main__":
    main()
