"""kill -9 in the middle of `duplicates apply` and of its undo: nothing is lost, and both can be completed or taken back."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from photoindex.library.words.facts import rate, state
from tests.harness import LibraryRunner
from tests.plan_house import PlanHouse
from tests.rows import library_in
from tests.series import SEEDS

ALL = 1 << 30
GROUPS = 3


@dataclass
class Scene:
    """A library with a plan; `reset` makes it as it was. passed: how many statements and renames each command takes."""

    folder: Path
    house: PlanHouse
    before: dict[str, tuple[bytes, int, int]] = field(default_factory=dict)
    after: dict[str, tuple[bytes, int, int]] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)

    def run(self, words: str, last: int = ALL) -> subprocess.CompletedProcess[str]:
        argv = ["--library", str(self.folder / "library"), *words.format(folder=self.folder).split()]
        command = [sys.executable, "-m", "tests.fault.dying_moves", str(last), *argv]
        # An unknown setting is refused, and so is the number of seeds.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PHOTOINDEX_")}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    def reset(self) -> None:
        for name in ("library", "photos", "trash"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("library", "photos"):
            shutil.copytree(self.folder / "kept" / name, self.folder / name)

    def contents(self) -> set[bytes]:
        """The bytes of all files, wherever they are."""
        folders = (self.folder / "photos", self.folder / "trash")
        return {path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}

    def states(self) -> list[tuple[object, ...]]:
        return LibraryRunner(self.folder / "library").rows(
            "SELECT name, state, rating FROM file LEFT JOIN asset ON asset.id = asset_id "
            "LEFT JOIN photo ON photo.id = photo_id ORDER BY file.id"
        )


APPLY = "duplicates apply {folder}/plan.tsv --trash {folder}/trash --yes --link"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("apply")
    plan = []
    with library_in(folder / "library") as library:
        house = PlanHouse(library, folder)
        for number in range(GROUPS):
            kept, copy, same = f"{number}.jpg", f"dump/{number}.jpg", f"same/{number}.jpg"
            house.add(kept, b"picture %d" % number * 100)
            house.add(copy, b"copy %d" % number)
            house.add_sidecar(f"dump/{number}.xmp", b"<x n='%d'/>" % number, copy)
            house.add(same, b"picture %d" % number * 100)
            state(library, [house.photo_of[copy]], rate(number + 1))
            plan.append([("keep", kept), ("remove", copy), ("remove", same)])
        house.plan(*plan)
    made = Scene(folder, house, before=house.files())
    for name in ("library", "photos"):
        shutil.copytree(folder / name, folder / "kept" / name)
    for words in (APPLY, "undo"):
        done = made.run(words)
        assert done.returncode == 0, done.stderr
        made.passed[words] = int(done.stderr.rpartition("passed: ")[2])
        made.after = made.after or house.files()
    assert house.files() == made.before
    return made


def killed(scene: Scene, words: str, seed: int) -> None:
    """Kill a command at a random moment, and check that no bytes are lost."""
    last = random.Random(f"{words} {seed}").randint(1, scene.passed[words])
    assert scene.run(words, last).returncode == -signal.SIGKILL
    expected = {content for content, _, _ in scene.before.values()}
    assert expected <= scene.contents(), f"lost when killed at {last}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_apply_is_completed_by_the_same_command(scene: Scene, seed: int) -> None:
    scene.reset()
    killed(scene, APPLY, seed)
    again = scene.run(APPLY)
    assert again.returncode == 0, again.stderr
    assert names_and_bytes(scene.house.files()) == names_and_bytes(scene.after)
    ratings = [(os.fsdecode(str(name)), rating) for name, _, rating in scene.states() if "xmp" not in str(name)]
    assert {rating for _, rating in ratings} == set(range(1, GROUPS + 1))
    assert LibraryRunner(scene.folder / "library").rows("SELECT * FROM file_move WHERE state <> 'moved'") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_apply_is_taken_back_by_undo(scene: Scene, seed: int) -> None:
    scene.reset()
    before = scene.states()
    killed(scene, APPLY, seed)
    begun = LibraryRunner(scene.folder / "library").value("SELECT count(*) FROM journal WHERE command LIKE 'dup%'")
    if begun:
        undone = scene.run("undo")
        assert undone.returncode == 0, undone.stderr
    assert scene.house.files() == scene.before
    assert scene.states() == before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_undo_is_completed_by_undo(scene: Scene, seed: int) -> None:
    scene.reset()
    before = scene.states()
    assert scene.run(APPLY).returncode == 0
    entry = LibraryRunner(scene.folder / "library").value("SELECT max(id) FROM journal")
    killed(scene, "undo", seed)
    again = scene.run(f"undo {entry}")
    assert again.returncode == 0 or "already undone" in again.stderr, again.stderr
    assert scene.house.files() == scene.before
    assert scene.states() == before


def names_and_bytes(files: dict[str, tuple[bytes, int, int]]) -> dict[str, bytes]:
    return {name: content for name, (content, _, _) in files.items()}
