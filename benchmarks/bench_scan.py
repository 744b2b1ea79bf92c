"""Full ingest of 12 MP JPEGs against vipsthumbnail, alternated in one run; hash and facts only; memory.

photoindex makes two sizes, a hash, facts and a database; vipsthumbnail (two processes, `xargs -P`) makes one 1024 px
JPEG per photo.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from common import best, make_photos, options, peak_memory, photoindex, report


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--facts-photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    if given.quick:
        given.photos, given.facts_photos, given.rounds = 12, 12, 1
    with tempfile.TemporaryDirectory(prefix="bench-scan-") as temporary:
        work = given.work or Path(temporary)
        photos = make_photos(work / f"photos-{given.photos}", given.photos)
        folder = work / f"photos-{given.photos}"
        full_and_vips(folder, photos, given, Path(temporary))
        many = work / f"photos-{given.facts_photos}"
        facts_only(many, make_photos(many, given.facts_photos), given, Path(temporary))


def full_and_vips(folder: Path, photos: list[Path], given, temporary: Path) -> None:
    vipsthumbnail = shutil.which("vipsthumbnail")
    if vipsthumbnail is None:
        raise SystemExit("vipsthumbnail is missing: apt-get install libvips-tools")
    memory: list[float] = []

    def ours() -> float:
        library = temporary / "library"
        shutil.rmtree(library, ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "photoindex",
            "scan",
            "--json",
            "--progress",
            "none",
            "-j",
            str(given.jobs),
            folder,
        ]
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, "PHOTOINDEX_LIBRARY": str(library)}, stdout=subprocess.PIPE
        )
        with peak_memory(psutil.Process(process.pid)) as seen:
            out, _ = process.communicate()
        seconds = time.perf_counter() - started
        summary = json.loads(out.splitlines()[-1])
        assert process.returncode == 0, out
        assert summary["new"] == len(photos), summary
        memory.append(seen["peak_mb"])
        return seconds

    def vips() -> float:
        made = temporary / "vips"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        names = "\0".join(map(str, photos)).encode()
        started = time.perf_counter()
        subprocess.run(
            ["xargs", "-0", "-P", "2", "-n", str(max(1, len(photos) // 8)), vipsthumbnail, "--size", "1024x1024", "-o",
             f"{made}/%s.jpg[Q=82]"],
            input=names, check=True,
        )  # fmt: skip
        return time.perf_counter() - started

    ours_seconds, vips_seconds = best(given.rounds, ours, vips)
    report(
        "scan_full",
        photos=len(photos),
        megabytes=round(sum(path.stat().st_size for path in photos) / 1e6),
        rounds=given.rounds,
        files_per_second=round(len(photos) / ours_seconds, 2),
        vipsthumbnail_files_per_second=round(len(photos) / vips_seconds, 2),
        ratio=round(vips_seconds / ours_seconds, 3),
        goal=1.25,
        peak_memory_mb=round(max(memory)),
    )


def facts_only(folder: Path, photos: list[Path], given, temporary: Path) -> None:
    def once() -> float:
        library = temporary / "facts"
        shutil.rmtree(library, ignore_errors=True)
        return photoindex("scan", "--no-derived", "--progress", "none", "-j", str(given.jobs), folder, library=library)[
            0
        ]

    (seconds,) = best(given.rounds, once)
    report(
        "scan_hash_and_facts", photos=len(photos), files_per_minute=round(60 * len(photos) / seconds), goal=10_000,
        rounds=given.rounds,
    )  # fmt: skip


if __name__ == "__main__":
    main()
