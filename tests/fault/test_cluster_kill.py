"""kill -9 while a grouping is written: everybody is as before or as planned, and the next run completes."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from photoindex.library.people.groups.cluster import ClusterRequest, cluster
from tests.face_rows import FaceRows
from tests.harness import LibraryRunner
from tests.rows import library_in
from tests.series import SEEDS

PEOPLE = 12
EACH = 6

CLUSTER = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from photoindex.library.people.groups import cluster as operation
from tests.rows import library_in

folder, left = Path(sys.argv[1]), int(sys.argv[2])
operation._BATCH_FACES = 1
writing = False

def count(*_):
    global left
    left -= writing
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def follow(progress):
    global writing
    writing = writing or getattr(progress, "phase", "") == "writing"

event.listen(Engine, "before_cursor_execute", count)
event.listen(Engine, "commit", count)
with library_in(folder) as library:
    operation.cluster(library, operation.ClusterRequest(full=True), follow)
print("statements left:", left)
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which half of the faces of each person are another one's, a named and a confirmed one among them."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "originals").mkdir()
    with library_in(folder / "library") as library:
        rows = FaceRows(library, folder / "originals")
        faces = [rows.add_photos_of(person, EACH) for person in range(PEOPLE)]
        mixed = [faces[one][:3] + faces[(one + 1) % PEOPLE][3:5] for one in range(PEOPLE)]
        rows.add_person("Anna", mixed[0], how=How.CLUSTER)
        ben = rows.add_person("Ben", mixed[1], how=How.CLUSTER)
        rows.assign(ben, [faces[5][5]])
        for some in mixed[2:]:
            rows.add_person(None, some, how=How.CLUSTER)
        rows.add_photos_of("new", EACH)
    return folder / "library"


def run(folder: Path, statements: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CLUSTER, str(folder), str(statements)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def statements(before: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many statements and commits an undisturbed grouping has."""
    folder = shutil.copytree(before, tmp_path_factory.mktemp("undisturbed") / "library")
    done = run(folder, 1_000_000)
    assert done.returncode == 0, done.stderr
    return 1_000_000 - int(done.stdout.rpartition(":")[2])


def people(folder: Path) -> dict[int, set[int]]:
    """Return the faces of each person."""
    found: dict[int, set[int]] = {}
    for face, person in LibraryRunner(folder).rows("SELECT region_id, individual_id FROM assignment"):
        found.setdefault(person, set()).add(face)
    return found


def check(folder: Path) -> None:
    """Check what holds at every moment."""
    runner = LibraryRunner(folder)
    assert runner.value("PRAGMA integrity_check") == "ok"
    assert runner.rows("PRAGMA foreign_key_check") == []
    lonely = "SELECT count(*) FROM individual WHERE id NOT IN (SELECT individual_id FROM assignment)"
    assert runner.value(lonely) == 0
    assert runner.rows("SELECT individual_id FROM assignment WHERE how = 'confirmed'") == [(2,)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_grouping_leaves_everybody_as_before_or_as_planned(
    before: Path, statements: int, tmp_path: Path, seed: int
) -> None:
    planned = shutil.copytree(before, tmp_path / "planned")
    with library_in(planned) as library:
        cluster(library, ClusterRequest(full=True))
    after = set(map(frozenset, people(planned).values()))
    chance = random.Random(seed)
    folder = shutil.copytree(before, tmp_path / "killed")
    start = set(map(frozenset, people(folder).values()))
    for _ in range(2):
        killed = run(folder, chance.randrange(1, statements + 1))
        assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
        check(folder)
        assert set(map(frozenset, people(folder).values())) <= start | after
    with library_in(folder) as library:
        cluster(library, ClusterRequest(full=True))
    check(folder)
    assert set(map(frozenset, people(folder).values())) == after
    assert {one: faces for one, faces in people(folder).items() if one <= PEOPLE} == {
        one: faces for one, faces in people(planned).items() if one <= PEOPLE
    }
