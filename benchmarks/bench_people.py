"""Lists of people, and searches for people and faces, against a search by date on the same large library.

Whole processes, from start to exit; what counts is their CPU time (user and system), because other programs disturb it least.
Each command runs in turn with the search by date, and the difference is that of the medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import measured, options, report

# The tests are not an installed package; this benchmark uses their generators of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.harness import LibraryRunner
from tests.synthetic import make_library
from tests.synthetic_people import add_people, person_name

GOAL_SECONDS = 0.3
BY_DATE = ("search", "date:2015", "-n", "100")
LARGE, SECOND, MIDDLE, SMALL = (person_name(number) for number in (0, 1, 60, 190))
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("people", "list"),
    ("search", f"person:{LARGE}", "-n", "100"),
    ("search", f"person:{MIDDLE}", "-n", "100"),
    ("search", f"person:{SMALL}", "-n", "100"),
    ("search", f"person:{LARGE}", f"person:{SECOND}", "-n", "100"),
    ("search", f"person:{LARGE},{MIDDLE}", "-n", "100"),
    ("search", f"-person:{LARGE}", "-n", "100"),
    ("search", f"person:{SECOND}", f"-person:{LARGE}", "-n", "100"),
    ("search", f"person:{SECOND}", "is:alone", "-n", "100"),
    ("search", "faces:>2", "-n", "100"),
    ("search", "faces:0", "-n", "100"),
    ("search", "faces:20", "-n", "100"),
)
"""What the goal is for."""
OTHERS: tuple[tuple[str, ...], ...] = (
    ("search", f"person:{LARGE}", "--count"),
    ("search", "faces:>2", "--count"),
    ("search", "person:*", "-n", "100"),
    ("search", f"age:{LARGE}<30", "-n", "100"),
    ("search", "is:unnamed", "-n", "100"),
    ("search", "is:unreviewed", "-n", "100"),
    ("search", "is:unnamed", "--count"),
    ("people", "show", SMALL),
)
"""Reported beside it, without a goal."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    photos, rounds = (2_000, 1) if given.quick else (given.photos, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bench-people-") as temporary:
        library = (given.work or Path(temporary)) / f"people-{photos}"
        if not library.exists():
            make_library(library, photos)
            with LibraryRunner(library).open() as opened:
                add_people(opened.database, faces=photos * 12 // 10, named=200, groups=photos * 6 // 100)
        size = {"photos": photos, "faces": count(library, "v_face"), "people": count(library, "v_person")}
        first = measured(("people", "list"), library)
        report("people_list_first", **size, cpu_seconds=first.cpu)
        for command in (*COMMANDS, *OTHERS)[:: 4 if given.quick else 1]:
            measure(command, library, rounds, size)


def measure(command: tuple[str, ...], library: Path, rounds: int, size: dict[str, int]) -> None:
    pairs = [(measured(BY_DATE, library), measured(command, library)) for _ in range(rounds)]
    by_date, asked = (statistics.median(pair[number].cpu for pair in pairs) for number in (0, 1))
    report(
        "people",
        command=" ".join(command),
        **size,
        lines=pairs[0][1].lines,
        cpu_seconds=round(asked, 3),
        by_date_cpu_seconds=round(by_date, 3),
        above_seconds=round(asked - by_date, 3),
        rounds=rounds,
        **({"goal_seconds": GOAL_SECONDS} if command in COMMANDS else {}),
    )


def count(library: Path, view: str) -> int:
    command = [sys.executable, "-m", "photoindex", "sql", f"SELECT count(*) FROM {view}", "--csv"]
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(library)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
