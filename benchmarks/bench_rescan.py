"""Rescan of unchanged files against `find -printf`, and memory from 1,000 to 100,000 files, on tiny JPEGs.

The files are tiny, so that this measures the walk, the comparison and the program's memory rather than decoding.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import simplejpeg
from common import options, peak_memory, photoindex, report
from tqdm import tqdm

PER_FOLDER = 100


def make_tiny_photos(folder: Path, first: int, past_last: int) -> None:
    """Write JPEGs of 64 x 48 px: one of 500 pictures, made unique by a comment."""
    random = np.random.default_rng(0)
    pictures = [
        simplejpeg.encode_jpeg(random.integers(0, 255, (48, 64, 3), np.uint8), 70, colorsubsampling="420")
        for _ in range(500)
    ]
    for index in tqdm(range(first, past_last), desc="tiny photos", file=sys.stderr):
        path = folder / f"{index // PER_FOLDER // 100:03d}" / f"{index // PER_FOLDER:05d}" / f"IMG_{index:06d}.jpg"
        if index % PER_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        comment = index.to_bytes(8, "big")
        picture = pictures[index % 500]
        path.write_bytes(picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:])


def scan_with_memory(folder: Path, library: Path) -> tuple[float, float, dict]:
    command = [sys.executable, "-m", "photoindex", "scan", "--json", "--progress", "none", "-j", "2", str(folder)]
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "PHOTOINDEX_LIBRARY": str(library)}, stdout=subprocess.PIPE)
    with peak_memory(psutil.Process(process.pid)) as seen:
        out, _ = process.communicate()
    return time.perf_counter() - started, seen["peak_mb"], json.loads(out.splitlines()[-1])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    given = parser.parse_args()
    few, many = (200, 1_000) if given.quick else (1_000, given.files)
    with tempfile.TemporaryDirectory(prefix="bench-rescan-") as temporary:
        folder = (given.work or Path(temporary)) / "tiny"
        library = Path(temporary) / "library"
        make_tiny_photos(folder, 0, few)
        seconds, few_mb, summary = scan_with_memory(folder, library)
        assert summary["new"] == few, summary
        make_tiny_photos(folder, few, many)
        seconds, many_mb, summary = scan_with_memory(folder, library)
        assert summary["new"] == many - few, summary
        report(
            "scan_memory", files=[few, many], peak_memory_mb=[round(few_mb), round(many_mb)], goal_mb=1500,
            files_per_minute=round(60 * (many - few) / seconds),
        )  # fmt: skip
        rescan(folder, library, many, rounds=1 if given.quick else 5)


def rescan(folder: Path, library: Path, files: int, *, rounds: int) -> None:
    ours, theirs = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run(["find", str(folder), "-printf", "%s %T@ %p\\n"], stdout=subprocess.DEVNULL, check=True)
        theirs.append(time.perf_counter() - started)
        seconds, out = photoindex("scan", "--json", "--progress", "none", folder, library=library)
        assert json.loads(out.splitlines()[-1])["unchanged"] == files, out
        ours.append(seconds)
    report(
        "rescan", files=files, seconds=round(min(ours), 3), find_seconds=round(min(theirs), 3), rounds=rounds,
        ratio=round(min(ours) / min(theirs), 2), goal_at_most=5,
    )  # fmt: skip


if __name__ == "__main__":
    main()
