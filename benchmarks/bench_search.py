"""Searches of 100,000 photos as whole processes, from start to exit, and the memory of a full listing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from common import options, peak_memory, photoindex, report

# The tests are not an installed package; this benchmark uses their generator of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.synthetic import make_library
from tests.synthetic_words import add_words

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
    ("@best", "-@sure", "--sort", "rating", "-n", "20"),
    ("--from-date", "2010", "--to-date", "2012", "--camera", "canon", "--not-type", "video", "-n", "20"),
    ("camera:canon", "date:2010..2012", "-type:video", "--explain"),
)
"""Typical searches."""

FIELDS: tuple[str, ...] = (
    "date:2019-06..2021", "date:last-1y", "time:22..04", "place:lisbon", "place:lis*", "near:38.7,-9.1,30km", "type:live",
    "type:motion", "type:raw", "type:video", "camera::^canon.*(5d|r5)", "lens::f/2", "iso:100..400", "aperture:1.4..2.8",
    "exposure:1/250", "focal:>=85", "rating:>=4", "title:beach", "description:photo", "keyword:dog", "keyword::^d", "name::^img_0+1",
    "path::2010/.*jpg$", "ext:heic", "volume:synthetic", "width:>=4000", "megapixels:>=20", "orientation:portrait", "duration:>10s",
    "has:gps", "has:sidecar", "has:raw", "has:faces", "has:edit", "has:keywords", "is:missing", "is:duplicate", "is:paired",
    "is:quarantined", "is:burst", "-is:duplicate", "-has:sidecar", "added:last-7d", "added:2020", "source:taken_at=mtime",
    "source:rating=xmp", "event:2019-06-01-lisbon", "event:lisbon", "tag:animals/dog", "tag:animals/", "tag:dog@80", "-tag:cat",
    "tag:print", "has:tag", "caption:beach", 'caption:"castle and"', 'ocr:"boarding pass"', "album:'beach 00000'", "is:favourite",
    "dog", "text:castle",
)  # fmt: skip
"""Every field; each is counted, which has to read all photos, and its first hits are listed."""
SAVED = (("rating:>=3 has:gps", "best"), ("type:raw OR place:zurich", "sure"))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    given = parser.parse_args()
    photos, rounds = (2_000, 1) if given.quick else (given.photos, 7)
    with tempfile.TemporaryDirectory(prefix="bench-search-") as temporary:
        library = make_library(Path(temporary) / "library", photos)
        add_words(library)
        for text, name in SAVED:
            photoindex("search", text, "--saved", name, "--count", library=library)
        queries = [*QUERIES, *((field, *how) for field in FIELDS for how in (("--count",), ("-n", "20")))]
        for query in queries[:: 10 if given.quick else 1]:
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
