"""Previews that are gone come back: scan finds them once a day, at once where a folder is gone, and when a reader met one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from photoindex.errors import PhotoIndexError, VolumeOffline
from photoindex.library.stage_run import StageRequest, run_stage
from photoindex.pipeline.ingest.derived_check import MARKER_NAME, read_marker, write_marker
from photoindex.progress import PhaseStarted
from tests.fault import mean_colour
from tests.harness import LibraryRunner, counts
from tests.originals import write_photos

PHOTOS = 5


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    runner.events.clear()
    return runner


def derived(runner: LibraryRunner) -> Path:
    return runner.folder / "derived"


def previews(runner: LibraryRunner) -> list[Path]:
    return sorted(derived(runner).glob("*/*.preview.jpg"))


def checked(runner: LibraryRunner) -> bool:
    return any(isinstance(event, PhaseStarted) and event.phase == "checking previews" for event in runner.events)


def age_marker(runner: LibraryRunner, seconds: float) -> None:
    marker = read_marker(derived(runner))
    assert marker is not None
    write_marker(derived(runner), checked_at=marker.checked_at - seconds)


def test_a_removed_derived_folder_is_made_again_by_the_next_scan(runner: LibraryRunner) -> None:
    before = {path.name: path.read_bytes() for path in previews(runner)}
    shutil.rmtree(derived(runner))
    summary = runner.scan()
    assert (summary.lost_previews, counts(summary)) == (PHOTOS, {"unchanged": PHOTOS})
    assert {path.name: path.read_bytes() for path in previews(runner)} == before
    assert runner.scan().lost_previews == 0


def test_one_lost_file_is_found_with_the_option_and_only_its_original_is_read(runner: LibraryRunner) -> None:
    lost = previews(runner)[2]
    lost.unlink()
    # Its folder, with the thumbnail, is still there, and the last check was just now.
    assert runner.scan().lost_previews == 0
    assert not checked(runner)
    summary = runner.scan(check_derived=True)
    assert (summary.lost_previews, counts(summary)) == (1, {"unchanged": PHOTOS})
    assert (
        0 < summary.bytes < 2 * max(path.stat().st_size for path in Path(runner.folder.parent, "photos").rglob("*.jpg"))
    )
    assert lost.exists()


def test_a_lost_thumbnail_counts_too(runner: LibraryRunner) -> None:
    thumbnail = next(derived(runner).glob("*/*.thumb.jpg"))
    thumbnail.unlink()
    assert runner.scan(check_derived=True).lost_previews == 1
    assert thumbnail.exists()


@pytest.mark.parametrize("ending", ["preview", "thumb"])
def test_a_fifo_in_place_of_a_derived_file_counts_too(runner: LibraryRunner, ending: str) -> None:
    fifo = next(derived(runner).glob(f"*/*.{ending}.jpg"))
    fifo.unlink()
    os.mkfifo(fifo)
    assert runner.scan(check_derived=True).lost_previews == 1
    assert fifo.is_file()


def test_it_is_checked_once_a_day(runner: LibraryRunner) -> None:
    previews(runner)[0].unlink()
    age_marker(runner, 80_000)
    assert runner.scan().lost_previews == 0
    age_marker(runner, 10_000)
    assert runner.scan().lost_previews == 1
    runner.events.clear()
    runner.scan()
    assert not checked(runner)


@pytest.mark.parametrize("gone", ["marker", "folder"])
def test_it_is_checked_at_once_where_the_marker_or_a_folder_is_gone(runner: LibraryRunner, gone: str) -> None:
    victim = previews(runner)[0]
    if gone == "marker":
        victim.unlink()
        (derived(runner) / MARKER_NAME).unlink()
    else:
        shutil.rmtree(victim.parent)
    assert runner.scan().lost_previews >= 1
    assert victim.exists()


def test_a_damaged_marker_counts_as_none(runner: LibraryRunner) -> None:
    for text in ("", "{", json.dumps({"checked_at": "x", "folders": 3})):
        (derived(runner) / MARKER_NAME).write_text(text)
        runner.events.clear()
        runner.scan()
        assert checked(runner)


def test_previews_on_a_disk_that_is_away_are_not_taken_for_lost(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", PHOTOS)
    disk = tmp_path / "disk"
    runner = LibraryRunner(tmp_path / "library", {"derived_path": disk / "derived"})
    runner.scan(tmp_path / "photos")
    disk.rename(tmp_path / "away")
    with pytest.raises(VolumeOffline, match=r"holds none of the previews; mount its disk.*--check-derived"):
        runner.scan()
    assert not disk.exists()
    (tmp_path / "away").rename(disk)
    assert runner.scan().lost_previews == 0
    shutil.rmtree(disk)
    assert runner.scan(check_derived=True).lost_previews == PHOTOS
    assert len(list(disk.glob("derived/*/*.preview.jpg"))) == PHOTOS


def test_a_dry_run_and_a_scan_without_previews_check_nothing(runner: LibraryRunner) -> None:
    shutil.rmtree(derived(runner))
    runner.scan(dry_run=True)
    runner.scan(derive=False)
    assert not checked(runner)


def test_embed_does_not_give_up_pictures_whose_previews_are_on_a_disk_that_is_away(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    disk = tmp_path / "disk"
    runner = LibraryRunner(tmp_path / "library", {"derived_path": disk / "derived"})
    runner.scan(tmp_path / "photos")
    disk.rename(tmp_path / "away")
    with runner.open() as library, pytest.raises(VolumeOffline, match="holds none of the previews"):
        run_stage(library, mean_colour.setup(tmp_path), StageRequest(), runner.events.append)
    assert runner.value("SELECT count(*) FROM asset WHERE derived = 1") == 2
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0


def test_a_file_where_the_derived_folder_should_be_is_named(runner: LibraryRunner) -> None:
    shutil.rmtree(derived(runner))
    derived(runner).write_text("a file")
    with pytest.raises(PhotoIndexError, match="derived"):
        runner.scan()
