"""`faces --from originals`: small faces in previews are looked for again in a larger picture, read once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.tasks import commands_for_waiting
from photoindex.library.people.faces import FacesRequest, FacesSummary, faces
from photoindex.pipeline import larger_picture
from photoindex.pipeline.larger_picture import LargerPicture, Original, read_larger
from photoindex.types import Failure, Limits
from tests.harness import LibraryRunner
from tests.tiny_faces import install_tiny_faces, write_faces

SMALL, TINY, LARGE = (300, 300, 420, 420), (1500, 900, 1560, 960), (2000, 1500, 2400, 1900)
"""In a preview, a quarter of the original, the tiny pack finds SMALL (30 px) and LARGE, not TINY (15 px, and 30 px at twice the size)."""
SIZE = (4096, 3072)
FACES = "SELECT id, round(size_px / 20) * 20 FROM region ORDER BY id"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with previews looked through: two photos with small faces, and one with a large face; copy it."""
    folder = tmp_path_factory.mktemp("made")
    install_tiny_faces(folder / "library")
    photos = folder / "photos"
    write_faces(photos / "small.jpg", {SMALL: 1, TINY: 2}, size_px=SIZE, seed=1)
    write_faces(photos / "turned.jpg", {SMALL: 3}, size_px=SIZE, seed=2)
    write_faces(photos / "large.jpg", {LARGE: 1}, size_px=SIZE, seed=3)
    runner = LibraryRunner(folder / "library")
    runner.scan(photos)
    look(runner, from_originals=False)
    return folder


@pytest.fixture
def runner(made: Path, tmp_path: Path) -> LibraryRunner:
    """A copy of the library; the photos stay where they are."""
    shutil.copytree(made / "library", tmp_path / "library")
    return LibraryRunner(tmp_path / "library")


def look(
    runner: LibraryRunner, stop: Callable[[], bool] = lambda: False, *, from_originals: bool = True, **request: Any
) -> FacesSummary:
    settings = {"faces.batch_size": 2, "faces.device": "cpu"}
    with LibraryRunner(runner.folder, settings=settings).open() as library:
        return faces(library, FacesRequest(from_originals=from_originals, **request), runner.events.append, stop)


def test_smaller_faces_are_found_and_known_ones_keep_their_ids(runner: LibraryRunner) -> None:
    before = runner.rows(FACES)
    assert sorted(size for _id, size in before) == [120, 120, 400]
    assert look(runner, dry_run=True).pending == 2
    summary = look(runner)
    assert (summary.looked_through, summary.faces, summary.pending, summary.quarantined) == (2, 3, 0, 0)
    after = runner.rows(FACES)
    assert (after[:3], after[3][1]) == (before, 60)
    assert dict(runner.rows("SELECT faces, count(*) FROM photo GROUP BY 1")) == {1: 2, 2: 1}


def test_a_second_run_reads_nothing_and_previews_stay_done(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(runner)
    found = runner.rows("SELECT id, variant_id FROM region ORDER BY id")
    monkeypatch.setattr(larger_picture, "read_larger", None)
    again = look(runner)
    assert (again.looked_through, again.batches, again.pending, again.previews_left) == (0, 0, 0, 0)
    assert look(runner, from_originals=False).looked_through == 0
    assert runner.rows("SELECT id, variant_id FROM region ORDER BY id") == found


def test_what_an_interrupted_run_leaves_names_its_command_and_the_next_run_does_it(runner: LibraryRunner) -> None:
    assert look(runner, limit=1).pending == 1
    with runner.open() as library:
        assert commands_for_waiting(library, ["faces"]) == "photoindex faces --from originals"
    assert (look(runner).looked_through, look(runner).pending) == (1, 0)


def test_redo_looks_through_the_preview_first_and_then_again_through_the_original(runner: LibraryRunner) -> None:
    look(runner)
    with runner.open() as library:
        redo(library, "faces")
    assert look(runner, dry_run=True).previews_left == 3
    assert look(runner, from_originals=False).looked_through == 3
    assert len(runner.rows(FACES)) == 3
    assert look(runner).looked_through == 2
    assert len(runner.rows(FACES)) == 4


def test_photos_on_a_volume_that_is_not_mounted_are_left_out_and_named(runner: LibraryRunner) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'nfs:server:/nas', label = 'NAS'")
    summary = look(runner)
    assert (dict(summary.offline), summary.looked_through, summary.failed, summary.pending) == ({"NAS": 2}, 0, 0, 0)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE file SET state = 'missing'")
    assert (look(runner).without_file, look(runner).offline) == (2, {})


def test_an_original_that_changed_since_the_scan_fails_and_is_tried_again(made: Path, runner: LibraryRunner) -> None:
    path = made / "photos" / "turned.jpg"
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"edited")
        summary = look(runner)
        assert (summary.looked_through, summary.failed, summary.quarantined) == (1, 1, 0)
        path.unlink()
        assert look(runner).failed == 1
    finally:
        path.write_bytes(content)
    assert (look(runner).looked_through, look(runner).pending) == (1, 0)


def test_a_picture_is_decoded_at_the_wanted_size_and_bad_files_are_failures(made: Path, tmp_path: Path) -> None:
    from blake3 import blake3
    from PIL import Image

    path = made / "photos" / "large.jpg"
    digest = blake3(path.read_bytes()).digest()
    read = read_larger(Original(os.fsencode(path), digest, 2048, Limits()))
    assert isinstance(read, LargerPicture)
    (tmp_path / "read.jpg").write_bytes(read.jpeg)
    with Image.open(tmp_path / "read.jpg") as image:
        assert image.size == (2048, 1536)
    (tmp_path / "broken.jpg").write_bytes(path.read_bytes()[:5000])
    broken = blake3((tmp_path / "broken.jpg").read_bytes()).digest()
    failures = [
        read_larger(Original(os.fsencode(tmp_path / name), one, 2048, Limits()))
        for name, one in (("broken.jpg", broken), ("broken.jpg", digest), ("absent.jpg", digest))
    ]
    assert all(isinstance(one, Failure) for one in failures)
    assert [one.retry for one in failures if isinstance(one, Failure)] == [False, True, True]
