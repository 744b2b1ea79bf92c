"""Pairs are compared once: what a search or a run found is remembered, and judged by what is known today."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select

from photoindex.errors import StorageFull
from photoindex.library.duplicates.compare_pictures import CompareSummary, compare_pictures, count_pending
from photoindex.library.duplicates.find import Duplicates, DuplicatesRequest, find_duplicates
from photoindex.library.duplicates.hash_pictures import hash_pictures
from photoindex.library.maintenance.redo import redo
from photoindex.library.stage_run import StageRequest
from photoindex.pipeline.duplicates.comparison import Comparer, Task
from photoindex.store.engine.database import Database
from photoindex.store.schema.tables import asset, variant
from photoindex.store.vectors.spaces import ensure_space
from photoindex.store.vectors.vectors import put
from photoindex.types import Vector
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import LibraryRunner

GOES_ON: Callable[[], bool] = lambda: False  # noqa: E731


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """Three scenes, with a smaller copy and a crop of each."""
    folder = tmp_path / "originals"
    folder.mkdir()
    for seed in (1, 2, 3):
        write(folder / f"{seed}.jpg", scene(seed))
        write(folder / f"{seed} small.jpg", scaled(scene(seed), 0.5))
        write(folder / f"{seed} crop.jpg", cut(scene(seed), 0.05, 0.03, 0.97, 0.95))
    return folder


@pytest.fixture
def runner(library_folder: Path, originals: Path) -> LibraryRunner:
    runner = LibraryRunner(library_folder)
    runner.scan(originals)
    return runner


def write(path: Path, picture: Image.Image, quality: int = 88) -> None:
    path.write_bytes(jpeg(picture, quality))


def search(runner: LibraryRunner, query: Sequence[str] | None = None, **options: int) -> Duplicates:
    with runner.open() as library:
        return find_duplicates(library, DuplicatesRequest(query=query, **options))


def grouped(found: Duplicates) -> set[frozenset[str]]:
    return {frozenset(os.path.basename(os.fsdecode(one.path)) for one in group.files) for group in found.groups}


ALL = {frozenset({f"{seed}.jpg", f"{seed} small.jpg", f"{seed} crop.jpg"}) for seed in (1, 2, 3)}


def test_a_second_search_compares_nothing_and_finds_the_same(runner: LibraryRunner) -> None:
    first = search(runner)
    assert grouped(first) == ALL
    assert first.compared >= 6
    second = search(runner)
    assert second.compared == 0
    assert second.groups == first.groups


def test_a_new_picture_is_compared_with_those_that_are_known(runner: LibraryRunner, originals: Path) -> None:
    compared = search(runner).compared
    write(originals / "2 again.jpg", scene(2), quality=60)
    runner.scan(originals)
    found = search(runner)
    assert grouped(found) == (ALL - {frozenset({"2.jpg", "2 small.jpg", "2 crop.jpg"})}) | {
        frozenset({"2.jpg", "2 small.jpg", "2 crop.jpg", "2 again.jpg"})
    }
    assert 1 <= found.compared < compared


def test_a_search_by_a_query_completes_what_it_asks_for(runner: LibraryRunner) -> None:
    first = search(runner, ["name:1"])
    assert grouped(first) == {one for one in ALL if "1.jpg" in one}
    assert runner.value("SELECT count(*) FROM picture_hash WHERE compared IS NOT NULL") == 3
    again = search(runner, ["name:1"])
    assert (again.compared, again.groups) == (0, first.groups)
    assert grouped(search(runner)) == ALL


def test_another_radius_neither_uses_nor_keeps_what_is_known(runner: LibraryRunner) -> None:
    assert search(runner, radius=0).compared == search(runner, radius=0).compared
    assert runner.value("SELECT count(*) FROM compared_pair") == 0
    assert search(runner).compared
    assert search(runner, radius=12).compared


@pytest.mark.parametrize("stops_after", [4, 5, 6])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch, stops_after: int
) -> None:
    monkeypatch.setattr("photoindex.library.duplicates.pairs._BATCH_TASKS", 1)
    monkeypatch.setattr("photoindex.library.duplicates.pairs._CHUNK_TASKS", 2)
    compared: list[tuple[int, int]] = []
    compare = Comparer.compare

    def noted(self: Comparer, task: Task) -> object:
        compared.append((task.first, task.second))
        return compare(self, task)

    monkeypatch.setattr(Comparer, "compare", noted)
    passes = 0
    while True:
        calls = iter(range(stops_after))
        with runner.open() as library:
            done = compare_pictures(library, stop=lambda calls=calls: next(calls, None) is None)
            assert done.pending == count_pending(library)
        if not done.pending:
            break
        assert done.stopped
        passes += 1
        assert passes < 20
    assert passes
    assert len(compared) - len(set(compared)) <= 2 * passes, (
        "more than the pairs of the picture at which a pass was stopped"
    )
    found = search(runner)
    assert (grouped(found), found.compared) == (ALL, 0)


def test_a_limit_counts_pictures(runner: LibraryRunner) -> None:
    with runner.open() as library:
        assert count_pending(library) == 9
        assert compare_pictures(library, limit=4, stop=GOES_ON).compared == 4
        assert compare_pictures(library, stop=GOES_ON) == CompareSummary(5, 0)
        assert compare_pictures(library, stop=GOES_ON) == CompareSummary(0, 0)
    assert search(runner).compared == 0


def test_a_picture_that_is_hashed_again_is_compared_again(runner: LibraryRunner) -> None:
    search(runner)
    with runner.open() as library:
        assert redo(library, "hash", ["name:1.jpg"], dry_run=True) == 1
        assert redo(library, "hash", ["name:1.jpg"]) == 1
        assert redo(library, "hash", dry_run=True) == 8
        assert hash_pictures(library, StageRequest()).hashed == 1
        assert count_pending(library) == 1
    found = search(runner)
    assert (grouped(found), found.compared > 0) == (ALL, True)


def test_a_new_version_of_the_comparison_compares_everything_anew(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = search(runner).compared
    for module in ("known_pairs", "near_vectors", "compare_pictures"):
        monkeypatch.setattr(f"photoindex.library.duplicates.{module}.VERSION", 2)
    monkeypatch.setattr("photoindex.library.duplicates.pairs.COMPARISON", 2)
    found = search(runner)
    assert (found.compared, grouped(found)) == (compared, ALL)
    assert runner.rows("SELECT DISTINCT version FROM compared_pair") == [(2,)]


def test_known_pairs_are_judged_by_the_times_of_today(runner: LibraryRunner) -> None:
    assert grouped(search(runner)) == ALL
    with runner.open() as library, library.database.write() as connection:
        for name, second in (("1.jpg", 10), ("1 small.jpg", 40), ("1 crop.jpg", 59)):
            connection.exec_driver_sql(
                "UPDATE asset SET facts = json_set(facts, '$.exif', json_object('taken_at', ?, 'camera_model', 'X')) "
                "WHERE id = (SELECT asset_id FROM file WHERE name = ?)",
                (f"2020-01-01T10:00:{second}", name),
            )
    found = search(runner)
    assert found.compared == 0
    assert found.apart >= 2
    assert grouped(found) == {one for one in ALL if "1.jpg" not in one}


def test_pictures_of_one_photo_are_compared_once_they_are_two(runner: LibraryRunner) -> None:
    ids = dict(runner.rows("SELECT name, asset_id FROM file"))
    whole, small = ids["3.jpg"], ids["3 small.jpg"]
    photo_ids = dict(runner.rows("SELECT id, photo_id FROM asset"))

    def set_photo(photo_id: int) -> None:
        with runner.open() as library, library.database.write() as connection:
            connection.exec_driver_sql("UPDATE asset SET photo_id = ? WHERE id = ?", (photo_id, small))

    set_photo(photo_ids[whole])
    together = search(runner)
    assert runner.value("SELECT count(*) FROM compared_pair WHERE outcome = 'one_photo'") == 1
    assert search(runner).compared == 0
    assert together.groups
    set_photo(photo_ids[small])
    assert grouped(search(runner)) == ALL
    assert runner.value("SELECT count(*) FROM compared_pair WHERE outcome = 'one_photo'") == 0


def test_where_nothing_can_be_written_the_search_works_and_remembers_nothing(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Database) -> None:
        raise StorageFull("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", full)
        assert grouped(search(runner)) == ALL
    assert runner.value("SELECT count(*) FROM compared_pair") == 0
    assert search(runner).compared


def test_neighbours_in_a_space_are_compared_once_each(runner: LibraryRunner, originals: Path) -> None:
    search(runner)
    with runner.open() as library:
        with library.database.write() as connection:
            connection.execute(insert(variant).values(id=900, stage="embed", key="{}", created_at=0.0))
            made = ensure_space(connection, model="drawn", variant_id=900, dim=16)
            ids = connection.execute(select(asset.c.id).order_by(asset.c.id)).scalars().all()
            put(connection, made.id, [(number, vector(number)) for number in ids[:-1]])
        assert count_pending(library) == len(ids) - 1
        first = find_duplicates(library, DuplicatesRequest())
        assert first.compared >= len(ids) - 2
        assert count_pending(library) == 0
        assert find_duplicates(library, DuplicatesRequest()).compared == 0
        with library.database.write() as connection:
            put(connection, made.id, [(ids[-1], vector(ids[-1]))])
        assert count_pending(library) == 1
        assert 1 <= find_duplicates(library, DuplicatesRequest()).compared < first.compared


def vector(number: int) -> Vector:
    """Return a vector that is near to all others."""
    row = np.ones(16) + 0.05 * np.random.default_rng(number).standard_normal(16)
    return Vector((row / np.linalg.norm(row)).astype(np.float16))
