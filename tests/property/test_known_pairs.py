"""Whatever happened to a library before, a search for duplicates finds what it finds in a fresh library of the same files."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select

from photoindex.library.duplicates.compare_pictures import compare_pictures, count_pending
from photoindex.library.duplicates.find import DuplicatesRequest, find_duplicates
from photoindex.library.duplicates.hash_pictures import hash_pictures
from photoindex.library.maintenance.redo import redo
from photoindex.library.stage_run import StageRequest
from photoindex.store.schema.tables import file, variant
from photoindex.store.vectors.spaces import ensure_space
from photoindex.store.vectors.vectors import put
from photoindex.types import Vector
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import LibraryRunner
from tests.series import SEEDS

_STEPS = 8


class House:
    """Originals, a library of them, and what happens to both."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.originals, self.away, self.chance = folder / "originals", folder / "away", chance
        self.originals.mkdir()
        self.away.mkdir()
        self.runner = LibraryRunner(folder / "library")
        self.vectors = False
        self.made = 0
        (self.originals / "00.jpg").write_bytes(jpeg(scene(9)))  # an empty folder is taken for a disk that is away
        for _ in range(6):
            self.add()

    def add(self) -> None:
        """Write another version of one of two scenes."""
        picture = scene(self.chance.randrange(2))
        version = self.chance.choice(
            [picture, scaled(picture, self.chance.uniform(0.4, 0.9)), cut(picture, 0.03, 0.02, 0.98, 0.97)]
        )
        self.made += 1
        (self.originals / f"{self.made:02}.jpg").write_bytes(jpeg(version, self.chance.randrange(60, 95)))

    def remove(self) -> None:
        """Take a file away."""
        for path in self._some(self.originals):
            path.rename(self.away / path.name)

    def bring_back(self) -> None:
        """Put files back that were away."""
        for path in self._some(self.away):
            path.rename(self.originals / path.name)

    def search(self) -> None:
        """Search everything."""
        groups(self.runner)

    def search_some(self) -> None:
        """Search by a query."""
        groups(self.runner, [f"name:{self.chance.randrange(1, self.made + 1):02}"])

    def run(self) -> None:
        """Compare what is new, and stop somewhere."""
        left = iter(range(self.chance.randrange(1, 6)))
        with self.runner.open() as library:
            compare_pictures(library, limit=self.chance.choice([None, 1, 3]), stop=lambda: next(left, None) is None)

    def hash_again(self) -> None:
        """Make hashes anew."""
        with self.runner.open() as library:
            redo(library, "hash", [f"name:{self.chance.randrange(1, self.made + 1):02}"])
            if self.chance.random() < 0.5:
                hash_pictures(library, StageRequest())

    def embed(self) -> None:
        """Give every picture a vector."""
        self.vectors = True
        embed(self.runner)

    def _some(self, folder: Path) -> Sequence[Path]:
        found = sorted(path for path in folder.iterdir() if path.name != "00.jpg")
        return self.chance.sample(found, min(len(found), self.chance.randrange(1, 4)))


def groups(runner: LibraryRunner, query: Sequence[str] | None = None) -> set[frozenset[str]]:
    with runner.open() as library:
        found = find_duplicates(library, DuplicatesRequest(query=query)).groups
    return {frozenset(os.path.basename(os.fsdecode(one.path)) for one in group.files) for group in found}


def embed(runner: LibraryRunner) -> None:
    """Give the pictures vectors that are near to each other, by the names of their files."""
    with runner.open() as library, library.database.write() as connection:
        if connection.execute(select(variant.c.id).where(variant.c.id == 900)).first() is None:
            connection.execute(insert(variant).values(id=900, stage="embed", key="{}", created_at=0.0))
        space = ensure_space(connection, model="drawn", variant_id=900, dim=16)
        rows = connection.execute(select(file.c.asset_id, file.c.name).where(file.c.asset_id.is_not(None)))
        found = {row.asset_id: near_vector(os.fsdecode(row.name)) for row in rows}
        put(connection, space.id, list(found.items()))


def near_vector(name: str) -> Vector:
    row = np.ones(16) + 0.05 * np.random.default_rng(int(name[:2])).standard_normal(16)
    return Vector((row / np.linalg.norm(row)).astype(np.float16))


@pytest.mark.parametrize("seed", SEEDS)
def test_history_does_not_matter(tmp_path: Path, seed: int) -> None:
    house = House(tmp_path, random.Random(seed))
    house.runner.scan(house.originals)
    acts: Sequence[Callable[[], None]] = (
        house.add, house.remove, house.bring_back, house.search, house.search_some, house.run, house.hash_again, house.embed,
    )  # fmt: skip
    done = []
    for _ in range(_STEPS):
        act = house.chance.choice(acts)
        done.append(act.__name__)
        act()
        house.runner.scan(house.originals)
    fresh = LibraryRunner(tmp_path / "fresh")
    fresh.scan(house.originals)
    if house.vectors:
        embed(house.runner)
        embed(fresh)
    assert groups(house.runner) == groups(fresh), done
    with house.runner.open() as library:
        assert count_pending(library) == 0
    assert groups(house.runner) == groups(fresh), done
