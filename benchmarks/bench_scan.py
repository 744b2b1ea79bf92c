"""Full ingest of 12 MP JPEGs against vipsthumbnail and against a bare loop, alternated in one run; hash and facts only; memory.

photoindex makes two sizes, hashes, facts and a database; vipsthumbnail (two processes, `xargs -P`) makes one 1024 px JPEG
per photo. The bare loop is what no program can leave out: read, BLAKE3, decode at the same scale, the same shrinking, two
JPEGs, the same hashes, two files written, in one plain process a core, without facts, checks, isolation or a database. It is
compared by the processor time of all processes, which other work on the machine changes little.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from common import best, make_photos, options, peak_memory, photoindex, report

BARE_LOOP = Path(__file__).with_name("bare_ingest.py")
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_GOALS = ((450, 0.92), (0, 0.85))
"""Number of photos from which on a share of the bare loop's speed is the goal: starting weighs less with more of them."""


@dataclass(frozen=True)
class Cost:
    """What commands cost together. wall: seconds. cpu: seconds of all their processes. memory_mb: peak PSS. out: of the first."""

    wall: float
    cpu: float
    memory_mb: float
    out: bytes


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[150, 450])
    parser.add_argument("--facts-photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    if given.quick:
        given.photos, given.facts_photos, given.rounds = [12], 12, 1
    with tempfile.TemporaryDirectory(prefix="bench-scan-") as temporary:
        work = given.work or Path(temporary)
        for count in given.photos:
            folder = work / f"photos-{count}"
            full(folder, make_photos(folder, count), given, Path(temporary))
        many = work / f"photos-{given.facts_photos}"
        facts_only(many, make_photos(many, given.facts_photos), given, Path(temporary))


def full(folder: Path, photos: list[Path], given: argparse.Namespace, temporary: Path) -> None:
    vipsthumbnail = shutil.which("vipsthumbnail")
    if vipsthumbnail is None:
        raise SystemExit("vipsthumbnail is missing: apt-get install libvips-tools")

    def ours() -> Cost:
        library = temporary / "library"
        shutil.rmtree(library, ignore_errors=True)
        scan = [
            "-m",
            "photoindex",
            "--library",
            library,
            "scan",
            "--json",
            "--progress",
            "none",
            "-j",
            given.jobs,
            folder,
        ]
        spent = cost([[sys.executable, *scan]])
        summary = json.loads(spent.out.splitlines()[-1])
        assert summary["new"] == len(photos), summary
        return spent

    def bare() -> Cost:
        made = emptied(temporary / "bare")
        loop = ["env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", sys.executable, BARE_LOOP, folder, made]
        return cost([[*loop, part, given.jobs] for part in range(given.jobs)])

    def vips() -> Cost:
        made = emptied(temporary / "vips")
        names = "\0".join(map(str, photos)).encode()
        words = ["xargs", "-0", "-P", 2, "-n", max(1, len(photos) // 8), vipsthumbnail, "--size", "1024x1024", "-o"]
        return cost([[*words, f"{made}/%s.jpg[Q=82]"]], given=names)

    rounds = [(ours(), bare(), vips()) for _ in range(given.rounds)]
    walls = [min(one.wall for one in side) for side in zip(*rounds, strict=True)]
    cpus = [min(one.cpu for one in side) for side in zip(*rounds, strict=True)]
    report(
        "scan_full",
        photos=len(photos),
        megabytes=round(sum(path.stat().st_size for path in photos) / 1e6),
        rounds=given.rounds,
        files_per_second=round(len(photos) / walls[0], 2),
        vipsthumbnail_files_per_second=round(len(photos) / walls[2], 2),
        ratio=round(walls[2] / walls[0], 3),
        goal=1.25,
        cpu_ms_a_photo=round(1000 * cpus[0] / len(photos), 2),
        bare_loop_cpu_ms_a_photo=round(1000 * cpus[1] / len(photos), 2),
        vipsthumbnail_cpu_ms_a_photo=round(1000 * cpus[2] / len(photos), 2),
        ratio_to_bare_loop=round(cpus[1] / cpus[0], 3),
        goal_of_ratio_to_bare_loop=next(share for least, share in _GOALS if len(photos) >= least),
        ratios_of_rounds=[round(bare.cpu / ours.cpu, 3) for ours, bare, _ in rounds],
        peak_memory_mb=round(max(ours.memory_mb for ours, _, _ in rounds)),
    )


def cost(commands: list[list[object]], *, given: bytes = b"") -> Cost:
    """Run commands beside each other to their end, and what they leave behind; `given` is the input of each."""
    # What a command leaves behind, like the server that workers are forked from, becomes a child of this process.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out:
        source.write(given)
        began = time.perf_counter()
        started = []
        for command in commands:
            source.seek(0)
            started.append(subprocess.Popen([*map(str, command)], stdin=source, stdout=out))
        cpu, running = 0.0, {process.pid: process for process in started}
        wall = 0.0
        with peak_memory(psutil.Process(started[0].pid)) as seen:
            while True:
                try:
                    pid, status, used = os.wait4(-1, 0)
                except ChildProcessError:
                    break
                cpu += used.ru_utime + used.ru_stime
                if pid in running:
                    running[pid].returncode = os.waitstatus_to_exitcode(status)
                    wall = time.perf_counter() - began
        if failed := [process.args for process in started if process.returncode]:
            raise SystemExit(f"failed: {failed}")
        out.seek(0)
        return Cost(wall, cpu, seen["peak_mb"], out.read())


def emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


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
