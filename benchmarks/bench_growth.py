"""What commands cost on libraries of 10,000, 100,000 and 1,000,000 photos, and how it grows.

The photos are only rows, with people, words and vectors. Whole processes, from start to exit; what counts is their CPU time
(user and system), because other programs disturb it least. The same command on a library of 100 photos is its start-up; the
rest is what its limit is for, and `exponent` is the power of the number of photos by which the rest grew since the size
before. `memory_mb` is the peak of memory of its own, without the pages of files.

`--full` goes to a million photos, `--check` fails if a limit is exceeded there, or an exponent of 1.1.
"""

from __future__ import annotations

import argparse
import math
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench_semantic
from common import Measured, measured, options, photoindex, report

# The tests are not an installed package; this benchmark uses their generators of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.index.validation import folder_of
from photoindex.store.vectors import spaces
from tests.synthetic import make_library
from tests.synthetic_people import add_people, person_name
from tests.synthetic_words import add_words

START, QUICK, SIZES = 100, 20_000, (10_000, 100_000, 1_000_000)
FULL = SIZES[-1]
MOST_EXPONENT = 1.1
NOISE_SECONDS = 0.15
"""Differences below this are the machine's; they have no exponent."""
RIGHT = (0, 11)
"""Exit codes: done, and nothing found. In the smallest library there may be nothing to undo, either."""
KNOWN, NEW = "beach sunset", "harbour fog seen from above"
PERCENT, TWELVE_PERCENT = "date:2010-01-01..2010-03-14", "date:2007-01..2009-05"
"""Dates of 1 % and of 12 % of the photos."""


@dataclass(frozen=True)
class Case:
    """A command. seconds: the limit of its CPU time above start-up at a million photos. {…} are folders.

    around: what surrounds the run, with the library's folder. after: what takes it back. rate: lines a second at least,
    in place of seconds.
    """

    words: str
    seconds: float | None = None
    memory_mb: int | None = None
    rounds: int = 3
    rate: int | None = None
    name: str = ""
    around: Callable[[Path], AbstractContextManager[None]] = lambda _library: nullcontext()
    after: str = ""


@contextmanager
def without_index(library: Path) -> Iterator[None]:
    """Take the index of the active space away, as after a restore; what the command leaves behind is removed."""
    folder, aside = _index_folder(library), library / "index-aside"
    shutil.move(folder, aside)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(aside, folder)


@contextmanager
def while_rebuilding(library: Path) -> Iterator[None]:
    """Rebuild the index in the background."""
    with ThreadPoolExecutor(1) as background:
        rebuilding = background.submit(photoindex, "index", "rebuild", library=library)
        time.sleep(2)
        yield
        rebuilding.result()


@contextmanager
def forgetting(library: Path) -> Iterator[None]:
    """Forget the vector of the new words, so that each round has to encode them."""
    from photoindex.store.schema.tables import query_vector

    with open_library(Config(library=library)) as opened, opened.database.write() as connection:
        connection.execute(query_vector.delete().where(query_vector.c.text == NEW))
    yield


CASES: tuple[Case, ...] = (
    Case("search date:2015-06 -n 50", 1),
    Case("search camera:canon date:2019 -n 20", 1),
    Case("search --count", 1, 300),
    Case("search rating:5 --count", 1, 300),
    Case("search -date:2019 --count", 1, 300),
    Case("search --sort path -n 50", 1, 300),
    Case("search --sort name -n 50", 1, 300),
    Case("search text:beach --sort path -n 50", 1, 300),
    Case("search", rate=150_000, name="paths of all photos"),
    Case("search --json", rate=20_000, name="JSON of all photos", rounds=1),
    Case("status", 1, 300),
    Case("tasks", 1),
    Case("events", 1),
    Case("duplicates --exact", 10),
    Case("saved", 1),
    Case("log", 1),
    Case("why /srv/photos/album/2006/mountains00001/IMG_000138.JPG", 1),
    Case("show 77", 1),
    Case("prune --dry-run", 1),
    Case("spaces list", 1),
    Case("index status", 1),
    Case("people list", 1),
    Case(f"search person:{person_name(0)} -n 50", 1),
    Case(f"search person:{person_name(1)} -person:{person_name(0)} -n 50", 1),
    Case("search faces:>2 -n 50", 1),
    Case("search faces:>2 --count", 1),
    Case("search tag:dog -n 50", 1),
    Case("search tag:dog --count", 1),
    Case("search 'album:beach 00000' -n 50", 1),
    Case("search caption:castle -n 50", 1),
    Case("search caption:castle --count", 1),
    Case("search ocr:boarding -n 50", 1),
    Case("run --plan", 1),
    Case("stats", 2),
    Case(f"search {KNOWN} -n 50", 1.0, name="by meaning, known words"),
    Case(f"search {NEW} -n 50", 1.4, around=forgetting, name="by meaning, new words"),
    Case(f"search {KNOWN} --count", 1, 700, name="by meaning, --count"),
    Case(f"search {KNOWN} date:2015 --count", 1, 700, name="by meaning with a filter, --count"),
    Case(f"search {KNOWN} rating:5 -n 50", 1, 700, name="by meaning with a filter"),
    Case(f"search {KNOWN} -n 50", 4, 400, 1, around=without_index, name="by meaning without an index"),
    Case(f"search {KNOWN} -n 50", 1.5, 1_000, 1, around=while_rebuilding, name="by meaning while the index is rebuilt"),
    Case("index rebuild", 60, 1_500, 1),
    Case(f"time shift {TWELVE_PERCENT} --by +1h --dry-run", 3, name="time shift --dry-run of 12 %"),
    Case(f"time shift {PERCENT} --by +1h --yes", 5, rounds=1, after="undo", name="time shift of 1 %"),
    Case(f"time set {PERCENT} --to 2010-02-01T10:00 --yes", 5, rounds=1, after="undo", name="time set of 1 %"),
    Case("undo", 5, rounds=1, after="undo", name="undo of it"),
    Case("backup {backups} --init", 60, rounds=1, name="backup"),
    Case("backup verify {backups}", 60, rounds=1, name="backup verify"),
    Case("restore {snapshot} --library {restored}", 60, rounds=1, name="restore"),
    Case("backup {backups}", 60, rounds=1, name="backup again"),
)  # fmt: skip


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--full", action="store_true", help="a million photos, too")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a limit is exceeded")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the results as a Markdown table, too")
    parser.add_argument("--only", metavar="TEXT", help="only the commands whose line or name contains this")
    given = parser.parse_args()
    sizes = [START, QUICK] if given.quick else [START, *(size for size in SIZES if given.full or size < FULL)]
    cases = [case for case in CASES if (given.only or "") in f"{case.name} {case.words}"]
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as temporary:
        work = given.work or Path(temporary)
        by_size = [_measure_all(library_of(work, size, given), size, cases, quick=given.quick) for size in sizes]
    rows = [_row(case, sizes, runs) for case, *runs in zip(cases, *by_size, strict=True)]
    for row in rows:
        report("growth", **row)
    if given.table is not None:
        given.table.write_text(_table(rows, sizes[1:]))
    exceeded = [row for row in rows if row["exceeded"]]
    for row in exceeded:
        print(f"{row['command']}: {', '.join(row['exceeded'])}", file=sys.stderr)
    return int(given.check and bool(exceeded))


def library_of(work: Path, photos: int, given: argparse.Namespace) -> Path:
    """Return the folder of a library with rows, people, words, vectors and an index; it is made once."""
    folder = work / f"growth-{photos}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make_library(folder, photos)
        with open_library(Config(library=folder)) as library:
            add_people(
                library.database, faces=photos * 12 // 10, named=min(200, photos // 10), groups=photos * 6 // 100
            )
        add_words(folder)
        bench_semantic.give_meaning(folder, photos, given)
        (folder / "made").touch()
    return folder


def _measure_all(library: Path, photos: int, cases: Sequence[Case], *, quick: bool) -> list[Measured]:
    photoindex("search", *KNOWN.split(), "-n", 1, library=library)
    photoindex("people", "list", library=library)
    check = RIGHT if photos > START else range(256)
    runs = []
    for case in cases:
        runs.append(_measure(case, library, 1 if quick else case.rounds, check))
        print(f"{photos:>9,} {case.name or case.words}: {runs[-1]}", file=sys.stderr)
    for name in ("backups", "restored"):
        shutil.rmtree(_beside(library, name), ignore_errors=True)
    return runs


def _measure(case: Case, library: Path, rounds: int, check: Container[int]) -> Measured:
    """Return the run with the least CPU time."""
    best: Measured | None = None
    for _ in range(rounds):
        with case.around(library):
            one = measured(_words(case.words, library), library, check=check)
        if case.after:
            photoindex(case.after, library=library, check=range(256))
        if best is None or one.cpu < best.cpu:
            best = one
    assert best is not None
    return best


def _words(line: str, library: Path) -> list[str]:
    places = {name: _beside(library, name) for name in ("backups", "restored")}
    places["snapshot"] = next(iter(sorted(places["backups"].glob("photoindex-*"))), Path())
    return [word.format(**places) for word in shlex.split(line)]


def _beside(library: Path, name: str) -> Path:
    return library.with_name(f"{library.name}-{name}")


def _index_folder(library: Path) -> Path:
    with open_library(Config(library=library)) as opened, opened.database.read() as connection:
        space = spaces.active_space(connection)
        assert space is not None
        return folder_of(opened, space.id)


def _row(case: Case, sizes: Sequence[int], runs: Sequence[Measured]) -> dict[str, Any]:
    """Return what to report of a command: its figures by size, and what they exceed."""
    above = [max(0.0, one.cpu - runs[0].cpu) for one in runs]
    grown = above[-1] > NOISE_SECONDS and len(runs) > 2
    exponent = math.log(above[-1] / max(above[-2], 0.01)) / math.log(sizes[-1] / sizes[-2]) if grown else None
    rate = round((runs[-1].lines - runs[0].lines) / max(above[-1], 0.01)) if case.rate else None
    at_full = sizes[-1] == FULL
    exceeded = [
        said
        for said, is_so in (
            (
                f"{above[-1]:.2f} s of {case.seconds} s",
                at_full and case.seconds is not None and above[-1] > case.seconds,
            ),
            (
                f"{runs[-1].memory_mb} MB of {case.memory_mb} MB",
                at_full and runs[-1].memory_mb > (case.memory_mb or math.inf),
            ),
            (f"{rate} lines a second of {case.rate}", rate is not None and case.rate is not None and rate < case.rate),
            (f"exponent {exponent or 0:.2f} of {MOST_EXPONENT}", exponent is not None and exponent > MOST_EXPONENT),
        )
        if is_so
    ]
    return {
        "command": case.name or case.words, "photos": sizes[-1], "start_cpu_seconds": runs[0].cpu,
        **{f"above_seconds_{size}": round(one, 3) for size, one in zip(sizes[1:], above[1:], strict=True)},
        "wall_seconds": runs[-1].wall, "memory_mb": runs[-1].memory_mb,
        "exponent": None if exponent is None else round(exponent, 2), "lines_a_second": rate, "limit_seconds": case.seconds,
        "limit_mb": case.memory_mb, "limit_lines_a_second": case.rate, "exceeded": exceeded,
    }  # fmt: skip


def _table(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> str:
    """Return the results in Markdown; times are CPU seconds above start-up."""
    heads = ["command", "start", *(f"{size:,}" for size in sizes), "wall", "MB", "exponent", "limit"]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for row in rows:
        limit = f"{row['limit_seconds']:g} s" if row["limit_seconds"] else f"{row['limit_lines_a_second']:,}/s"
        limit += f", {row['limit_mb']:,} MB" if row["limit_mb"] else ""
        rate = f" ({row['lines_a_second']:,}/s)" if row["lines_a_second"] else ""
        above = [f"{row[f'above_seconds_{size}']:.2f}" for size in sizes]
        cells = [
            row["command"], f"{row['start_cpu_seconds']:.2f}", *above[:-1], f"{above[-1]}{rate}", f"{row['wall_seconds']:.1f}",
            f"{row['memory_mb']:,}", "" if row["exponent"] is None else f"{row['exponent']:.2f}", limit,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
