"""Whole processes of `photoindex search` on a library of 100,000 photos, from start to exit, and memory of a full listing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from common import options, peak_memory, photoindex, report

# The repository's tests are not installed; their maker of libraries is shared.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.synthetic import make_library

QUERIES: tuple[tuple[str, ...], ...] = (
    ("camera:canon", "date:2019", "-n", "20"),
    ("beach", "-date:2019", "-n", "20"),
    ("type:raw,heic", "size:>20MB", "rating:>=3", "-n", "20"),
    ("camera:canon", "--count"),
    ("img_00*", "--count"),
    ("-date:2019", "--count"),
    ("path:2010/*5.JPG", "-n", "20"),
    ("name:img_0001", "-n", "20"),
    ("beach", "--sort", "path", "-n", "20"),
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    given = parser.parse_args()
    photos, rounds = (2_000, 2) if given.quick else (given.photos, 7)
    with tempfile.TemporaryDirectory(prefix="bench-search-") as temporary:
        library = make_library(Path(temporary) / "library", photos)
        for query in QUERIES:
            seconds = min(photoindex("search", *query, library=library)[0] for _ in range(rounds))
            report(
                "search",
                query=" ".join(query),
                photos=photos,
                seconds=round(seconds, 3),
                rounds=rounds,
                goal_seconds=0.5,
            )
        list_all(library, photos)


def list_all(library: Path, photos: int) -> None:
    command = [sys.executable, "-m", "photoindex", "search", "--json"]
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(library)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    with peak_memory(psutil.Process(process.pid)) as seen:
        process.wait()
    assert process.returncode == 0
    report("search_all_json", photos=photos, peak_memory_mb=round(seen["peak_mb"]))


if __name__ == "__main__":
    main()
