"""Nights on one library: how often what happened lies in the range of `run --plan`, and how wide that range is.

Each night new pictures arrive, the plan is made, and the run is timed; the first nights only measure this computer. Models are the tiny
ones of the tests, so that loading them takes a good part of each night, as with few new pictures in real ones.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from common import options, report

# The tests are not an installed package; this benchmark uses their pictures and tiny models.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.domain.night.estimates import Range
from photoindex.domain.night.patience import QuietLimits
from photoindex.library.night.plan import plan
from photoindex.library.night.run import RunRequest, chosen_steps
from photoindex.library.night.run import run as run_night
from photoindex.progress import ignore_events
from tests.harness import LibraryRunner
from tests.tiny_clip.scenes import all_scenes
from tests.tiny_faces import install_tiny_faces
from tests.tiny_model import install_tiny, write_scenes

STAGES = ("embed", "faces", "tags")
MEASURING_NIGHTS = 3
NEVER_WAIT = QuietLimits(others_cpu=None, others_gpu=None, celsius=None, on_battery=True)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=400, help="on average a night")
    given = parser.parse_args()
    nights, pictures = (1, 12) if given.quick else (given.nights, given.pictures)
    chance = random.Random(7)
    scenes = all_scenes()
    with tempfile.TemporaryDirectory(prefix="bench-night-", dir=given.work) as temporary:
        photos = Path(temporary) / "photos"
        runner = LibraryRunner(Path(temporary) / "library")
        arrived, inside, widths = 0, 0, []
        for night in range(MEASURING_NIGHTS + nights):
            new = round(pictures * chance.uniform(0.5, 1.5))
            chosen = [scenes[(arrived + number) % len(scenes)] for number in range(new)]
            for number, scene in enumerate(chosen):
                write_scenes(photos / f"night-{night}", [scene], seed=arrived + number)
            arrived += new
            runner.scan(photos)
            if night == 0:
                install_tiny(runner.folder)
                install_tiny_faces(runner.folder)
            foretold, seconds = one_night(runner)
            if night < MEASURING_NIGHTS or foretold is None:
                continue
            inside += foretold.low <= seconds <= foretold.high
            widths.append(foretold.high / foretold.low)
            report(
                "night",
                pictures=new,
                seconds=round(seconds, 2),
                low=round(foretold.low, 2),
                high=round(foretold.high, 2),
            )
        report(
            "nights", nights=len(widths), inside=inside, goal_inside=0.9, widest=round(max(widths), 2), goal_widest=2.0,
            pictures_a_night=pictures,
        )  # fmt: skip


def one_night(runner: LibraryRunner) -> tuple[Range | None, float]:
    """Return what the plan foretold, and the seconds that the run took."""
    with runner.open() as library:
        planned = plan(library, chosen_steps(STAGES, scan=False), window_seconds=None, limit=None)
        foretold = None if planned.unmeasured else planned.seconds
        began = time.perf_counter()
        run_night(library, RunRequest(stages=STAGES, limits=NEVER_WAIT), ignore_events)
        return foretold, time.perf_counter() - began


if __name__ == "__main__":
    main()
