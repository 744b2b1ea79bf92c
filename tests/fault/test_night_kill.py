"""A night that is cut at any moment: by its window, by SIGTERM, by kill -9. The next night completes it, and nothing is done twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from photoindex.library.models.install import InstallRequest, install
from photoindex.library.night.steps import STEPS
from photoindex.store.engine.database import Database
from tests.harness import LibraryRunner
from tests.label_models import write_colour_model, write_detector
from tests.series import SOAKING
from tests.tiny_clip.scenes import all_scenes
from tests.tiny_faces import install_tiny_faces
from tests.tiny_model import install_tiny, write_scenes
from tests.tiny_ocr import write_lines, write_tiny_ocr

MOMENTS = 17 if SOAKING else 1
"""Of each of the three ways in which a night is cut: together 51, and three in a usual run."""
PHOTOS = 12
LONG = {"caption", "sensitive"}
"""Left out of a usual run: the first loads torch in every process, the second runs a network of 24 MB."""
STAGES = [step.name for step in STEPS if step.name != "scan" and (SOAKING or step.name not in LONG)]
COMMAND = [
    sys.executable, "-m", "photoindex", "run", "--scan", "--progress", "none", "--max-cpu-util", "100", "--nice", "0",
    *(word for stage in STAGES for word in ("--stage", stage)),
]  # fmt: skip
CAPTIONER = Path(__file__).parents[1] / "fixtures" / "tiny-captioner"
COUNTING = """
CREATE TABLE finished (task_id INTEGER, stage TEXT);
CREATE TRIGGER count_finished AFTER UPDATE OF state ON task WHEN NEW.state = 'done' AND OLD.state <> 'done'
BEGIN INSERT INTO finished VALUES (NEW.id, NEW.stage); END;
"""
"""Counts in the database itself how often each task was finished, whichever process does it."""


@dataclass(frozen=True)
class Night:
    """A library whose photos wait for their first night. seconds: how long that takes. folder: with library and photos."""

    folder: Path
    seconds: float
    done: int


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    home = folder / "home"
    write_scenes(home / "photos", all_scenes()[:PHOTOS])
    runner = LibraryRunner(home / "library")
    runner.scan(home / "photos")
    install_tiny(runner.folder)
    install_tiny_faces(runner.folder)
    with runner.open() as library:
        install(library, InstallRequest(CAPTIONER, "tiny-captioner"))
    write_tiny_ocr(home / "packages")
    write_colour_model(home / "labels")
    write_detector(home / "objects", {0: (0, 0.9, (8.0, 4.0, 24.0, 20.0))})
    write_lines(home / "photos" / "TEXT.jpg", {(100, 100, 30): "FACED"})
    write_scenes(home / "photos", all_scenes()[PHOTOS : 2 * PHOTOS], seed=PHOTOS)  # the scan finds these
    database = Database(runner.folder / "photoindex.db")
    raw = database.raw_connection()
    raw.executescript(COUNTING)
    raw.close()
    database.close()
    shutil.copytree(home, folder / "kept")
    began = time.monotonic()
    assert run_night(home).returncode == 0
    seconds = time.monotonic() - began
    return Night(folder, seconds, len(finished(home)))


def environment(home: Path) -> dict[str, str]:
    sizes = {
        f"PHOTOINDEX_{section}__BATCH_SIZE": "4" for section in ("SCAN", "EMBED", "FACES", "CAPTION", "TAGS", "OCR")
    }
    paths = (home / "packages", Path(__file__).parents[2], os.environ.get("PYTHONPATH", ""))
    return {
        **os.environ, **sizes, "PHOTOINDEX_LIBRARY": str(home / "library"), "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PHOTOINDEX_TAGS__MODELS": f"{home}/labels/colours.toml,{home}/objects/table.toml",
        "PHOTOINDEX_CAPTION__MODEL": "tiny-captioner", "PHOTOINDEX_CAPTION__DEVICE": "cpu",
    }  # fmt: skip


def run_night(home: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *options], env=environment(home), capture_output=True, timeout=1200, check=False)


def finished(home: Path) -> list[tuple[int, str]]:
    return LibraryRunner(home / "library").rows("SELECT task_id, stage FROM finished")


def begin_again(night: Night) -> Path:
    """Put the library back to where the night begins; at the same path, because a library knows absolute paths."""
    home = night.folder / "home"
    shutil.rmtree(home)
    shutil.copytree(night.folder / "kept", home)
    return home


def check_complete(night: Night, home: Path) -> None:
    """Run the next night whole, and look for work that is missing or was done twice."""
    done = run_night(home)
    assert done.returncode == 0, done.stderr
    rows = finished(home)
    assert len(rows) == len(set(rows)), "a task was finished twice"
    assert len(rows) == night.done
    runner = LibraryRunner(home / "library")
    assert runner.value("SELECT count(*) FROM task WHERE state <> 'done'") == 0
    assert runner.value("SELECT count(*) FROM vector") == 2 * PHOTOS + 1


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_night_that_is_killed_is_completed_by_the_next(night: Night, moment: int) -> None:
    home = begin_again(night)
    cut(home, night, moment, signal.SIGKILL)
    check_complete(night, home)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_night_that_is_terminated_finishes_its_batch_and_is_completed_by_the_next(night: Night, moment: int) -> None:
    home = begin_again(night)
    code = cut(home, night, moment, signal.SIGTERM)
    assert code in (0, 143)
    runner = LibraryRunner(home / "library")
    assert runner.value("SELECT count(*) FROM task WHERE state = 'running'") == 0, "the batch was given back"
    check_complete(night, home)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_night_whose_window_closes_is_completed_by_the_next(night: Night, moment: int) -> None:
    home = begin_again(night)
    window = random.Random(1000 + moment).uniform(0, night.seconds)
    ended = run_night(home, "--for", f"{max(1, round(window * 1000))}ms")
    assert ended.returncode in (0, 75), ended.stderr
    check_complete(night, home)


def cut(home: Path, night: Night, moment: int, number: signal.Signals) -> int:
    """Send a signal at a seeded moment of the night; return the exit code."""
    process = subprocess.Popen(COMMAND, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(int(number) * 1000 + moment).uniform(0.3, night.seconds))
    process.send_signal(number)
    return process.wait(timeout=600)
