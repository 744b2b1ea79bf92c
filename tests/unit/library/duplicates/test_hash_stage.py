"""Hashes of pictures: made when a file is read, or later from previews, and compared with those of their version only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from photoindex.library.duplicates.find import DuplicatesRequest, find_duplicates
from photoindex.library.duplicates.hash_pictures import hash_pictures
from photoindex.library.stage_run import StageRequest
from photoindex.pipeline.duplicates.candidates import Collector, Start, add_windows
from photoindex.stages.base import UnreadablePreview
from photoindex.stages.hash import hash_of
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import LibraryRunner

HASHES = "SELECT asset_id, version, full, windows, content FROM picture_hash ORDER BY asset_id"


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """Three scenes, a smaller copy and a crop of the first one."""
    folder = tmp_path / "originals"
    folder.mkdir()
    pictures = {f"scene {seed}.jpg": scene(seed) for seed in (1, 2, 3)}
    pictures |= {"small.jpg": scaled(scene(1), 0.5), "crop.jpg": cut(scene(1), 0.12, 0.03, 0.92, 0.83)}
    for name, picture in pictures.items():
        (folder / name).write_bytes(jpeg(picture))
    return folder


@pytest.fixture
def runner(library_folder: Path, originals: Path) -> LibraryRunner:
    runner = LibraryRunner(library_folder)
    runner.scan(originals)
    return runner


def forget(runner: LibraryRunner, condition: str = "1") -> None:
    """Remove hashes and known pairs, as if an earlier version had read the files."""
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM picture_hash WHERE {condition}")
        connection.exec_driver_sql("DELETE FROM compared_pair")


def grouped(runner: LibraryRunner, query: Sequence[str] | None = None) -> list[set[str]]:
    with runner.open() as library:
        groups = find_duplicates(library, DuplicatesRequest(query=query)).groups
    return [{os.path.basename(os.fsdecode(one.path)) for one in group.files} for group in groups]


def test_a_scan_hashes_what_it_reads(runner: LibraryRunner) -> None:
    assert runner.value("SELECT count(*) FROM picture_hash WHERE length(windows) = 320 AND length(content) = 8") == 5
    with runner.open() as library:
        assert hash_pictures(library, StageRequest(), dry_run=True).pending == 0


def test_missing_hashes_are_made_from_previews_without_an_original(runner: LibraryRunner, originals: Path) -> None:
    made = runner.rows(HASHES)
    forget(runner)
    shutil.rmtree(originals)
    with runner.open() as library:
        assert hash_pictures(library, StageRequest(), dry_run=True).pending == 5
        assert hash_pictures(library, StageRequest(limit=2)).hashed == 2
        assert hash_pictures(library, StageRequest()).hashed == 3
        assert hash_pictures(library, StageRequest()).hashed == 0
    assert runner.rows(HASHES) == made
    assert runner.rows("SELECT stage, state, count(*) FROM task WHERE stage = 'hash'") == [("hash", "done", 5)]


def test_files_without_hashes_are_not_read_again(runner: LibraryRunner, originals: Path) -> None:
    forget(runner)
    assert runner.scan(originals).bytes == 0
    assert runner.value("SELECT count(*) FROM picture_hash") == 0


def test_hashes_of_another_version_are_made_anew(runner: LibraryRunner) -> None:
    made = runner.rows(HASHES)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE picture_hash SET version = 0, full = 1")
    with runner.open() as library:
        assert hash_pictures(library, StageRequest()).hashed == 5
    assert runner.rows(HASHES) == made


def test_a_content_that_is_forgotten_leaves_no_hash(runner: LibraryRunner, originals: Path) -> None:
    (originals / "scene 3.jpg").unlink()
    runner.scan(originals)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM file WHERE name = 'scene 3.jpg'")
        connection.exec_driver_sql("DELETE FROM photo_to_resolve")
        connection.exec_driver_sql("UPDATE photo SET primary_asset_id = NULL")
        connection.exec_driver_sql("DELETE FROM asset WHERE id NOT IN (SELECT asset_id FROM file)")
    assert runner.value("SELECT count(*) FROM picture_hash") == 4


def test_crops_are_found_by_their_windows_and_missing_hashes_are_made_first(runner: LibraryRunner) -> None:
    expected = [{"scene 1.jpg", "small.jpg", "crop.jpg"}]
    assert grouped(runner) == expected
    forget(runner)
    assert grouped(runner) == expected
    assert runner.value("SELECT count(*) FROM picture_hash") == 5


def test_where_nothing_can_be_written_old_hashes_are_compared_with_old_ones(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(runner, "asset_id IN (SELECT asset_id FROM file WHERE name = 'small.jpg')")
    monkeypatch.setattr("photoindex.library.duplicates.find._make_missing_hashes", lambda _library, _emit: None)
    assert grouped(runner) == [{"scene 1.jpg", "small.jpg", "crop.jpg"}]
    forget(runner)
    assert grouped(runner) == [{"scene 1.jpg", "small.jpg"}]


@pytest.mark.parametrize("query", ["name:crop.jpg", "name:small.jpg", 'name:"scene 1.jpg"'])
def test_a_query_finds_crops_from_both_sides(runner: LibraryRunner, query: str) -> None:
    (group,) = grouped(runner, [query])
    assert {"scene 1.jpg", query.removeprefix("name:").strip('"')} <= group


def test_a_damaged_preview_is_a_failure_of_that_picture() -> None:
    with pytest.raises(UnreadablePreview):
        hash_of(b"\xff\xd8 no picture")


def test_only_pairs_with_a_wanted_picture_are_looked_for() -> None:
    random = np.random.default_rng(1)
    windows = random.integers(1 << 62, 1 << 63, (6, 40), dtype=np.uint64)
    full = windows[:, 0].copy()
    full[3], full[5] = windows[0, 7], windows[4, 11]  # two crops
    wanted = np.array([True, False, False, False, False, False])
    collector = Collector()
    add_windows(collector, full, windows, np.arange(6), 4)
    everything = collector.result()
    assert list(zip(everything.first.tolist(), everything.second.tolist(), strict=True)) == [(0, 3), (4, 5)]
    assert Start.unpacked(int(everything.starts[0])) == Start(window=7, trimmed=False, second=True)
    add_windows(collector, full, windows, np.arange(6), 4, wanted=wanted)
    some = collector.result()
    assert list(zip(some.first.tolist(), some.second.tolist(), strict=True)) == [(0, 3)]


def test_hashes_of_files_that_are_gone_find_nothing(runner: LibraryRunner) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE file SET state = 'missing'")
    assert runner.value("SELECT count(*) FROM picture_hash") == 5
    assert grouped(runner) == []
