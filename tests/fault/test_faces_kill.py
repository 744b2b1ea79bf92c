"""`faces` killed at any moment: a picture has all of its faces and is done, or it has none and is not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness import LibraryRunner
from tests.series import SEEDS
from tests.tiny_faces import install_tiny_faces, write_faces

PHOTOS = 18
BOXES = [
    (40 + 150 * column, 60 + 150 * row, 100 + 150 * column, 120 + 150 * row) for row in range(2) for column in range(4)
]
STATES = """
    SELECT task.state, count(region.id), file.name FROM file
    LEFT JOIN task ON subject_id = file.asset_id AND subject_kind = 'asset' AND stage = 'faces'
    LEFT JOIN region ON region.asset_id = file.asset_id GROUP BY file.id
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a face pack and photos of 0 to 8 faces, not looked through; copy it."""
    folder = tmp_path_factory.mktemp("made")
    for index in range(PHOTOS):
        boxes = {box: person for person, box in enumerate(BOXES[: index % 9])}
        write_faces(folder / "photos" / f"{index % 9} {index}.jpg", boxes, seed=index)
    LibraryRunner(folder / "library").scan(folder / "photos")
    install_tiny_faces(folder / "library")
    return folder / "library"


def start(library: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "photoindex", "faces", "--batch-size", "2", "--progress", "none"]
    environment = os.environ | {"PHOTOINDEX_LIBRARY": str(library)}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_faces_and_the_mark_that_they_were_looked_for_are_stored_together(
    made: Path, tmp_path: Path, seed: int
) -> None:
    shutil.copytree(made, tmp_path / "undisturbed")
    began = time.monotonic()
    assert start(tmp_path / "undisturbed").wait() == 0
    usual = time.monotonic() - began
    shutil.copytree(made, tmp_path / "library")
    runner = LibraryRunner(tmp_path / "library")
    chance = random.Random(f"faces {seed}")
    for _ in range(3):
        process = start(tmp_path / "library")
        time.sleep(chance.uniform(usual / 3, usual))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for state, faces, name in runner.rows(STATES):
            wanted = int(name.split()[0]) if state == "done" else 0
            assert faces == wanted, (state, name)
    assert start(tmp_path / "library").wait() == 0
    assert {state for state, _faces, _name in runner.rows(STATES)} == {"done"}
    assert runner.value("SELECT count(*) FROM region") == sum(index % 9 for index in range(PHOTOS))
    assert runner.value("SELECT count(*) FROM region_vector") == runner.value("SELECT count(*) FROM region")
    assert runner.value("SELECT count(*) FROM photo WHERE faces IS NULL") == 0
