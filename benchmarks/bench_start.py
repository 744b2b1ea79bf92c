"""`photoindex --help` as a whole process, compared with an empty Python process."""

from __future__ import annotations

import subprocess
import sys
import time

from common import best, options, report


def run_python(*words: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    given = options(__doc__).parse_args()
    rounds = 2 if given.quick else 15
    ours, bare = best(rounds, lambda: run_python("-m", "photoindex", "--help"), lambda: run_python("-c", ""))
    report("start", help_seconds=round(ours, 3), bare_python_seconds=round(bare, 3), rounds=rounds, goal_seconds=0.2)


if __name__ == "__main__":
    main()
