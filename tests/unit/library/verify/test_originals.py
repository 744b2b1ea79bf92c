"""`verify --originals`: what is read, in which order, and what is found."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import LibraryLocked, NothingFound
from photoindex.library.lock import exclusive
from photoindex.library.verify.originals import (
    LOCK_NAME,
    OriginalsRequest,
    OriginalsSummary,
    verify_originals,
    write_plan,
)
from photoindex.progress import PhaseAdvanced
from tests.harness import LibraryRunner
from tests.originals import jpeg, write_photo, write_photos
from tests.sleeping_computer import SleepingComputer
from tests.unit.media.test_rereading import damage

OUTCOMES = ("good", "changed", "damaged", "unreadable", "missing", "left", "younger")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine photos in three folders."""
    write_photos(tmp_path / "photos", 9)
    return tmp_path / "photos"


@pytest.fixture
def runner(library_folder: Path, photos: Path) -> LibraryRunner:
    """A library of these photos."""
    runner = LibraryRunner(library_folder)
    runner.scan(photos)
    return runner


def prove(runner: LibraryRunner, *, stop: Any = lambda: False, **request: Any) -> OriginalsSummary:
    with runner.open() as library:
        return verify_originals(library, OriginalsRequest(**request), runner.events.append, stop)


def outcomes(summary: OriginalsSummary) -> dict[str, int]:
    return {name: getattr(summary, name) for name in OUTCOMES if getattr(summary, name)}


def age_proofs(runner: LibraryRunner, seconds: float) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE proof SET at = at - ?", (seconds,))


def proved(runner: LibraryRunner) -> list[str]:
    """Names of the files with a proof, in the order in which they were read."""
    rows = runner.rows(
        "SELECT CAST(file.name AS TEXT) FROM proof JOIN file ON file.id = proof.file_id ORDER BY proof.at, file.id"
    )
    return [name for (name,) in rows]


def test_a_sound_library_is_proved_good_and_its_originals_stay_as_they_are(runner: LibraryRunner, photos: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*.jpg")}
    summary = prove(runner)
    assert outcomes(summary) == {"good": 9}
    assert summary.bytes_read == sum(path.stat().st_size for path in before)
    assert (summary.coverage.files, summary.coverage.proved) == (9, 9)
    assert {path: path.stat().st_mtime_ns for path in photos.rglob("*.jpg")} == before
    assert runner.rows("SELECT DISTINCT outcome FROM proof") == [("good",)]


def test_changed_damaged_missing_and_unreadable_files_are_told_apart(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(photos / "0" / "IMG_0000.jpg")
    damage(os.fsencode(photos / "0" / "IMG_0003.jpg"))
    (photos / "1" / "IMG_0001.jpg").unlink()
    refused = (photos / "1" / "IMG_0004.jpg").stat().st_ino
    real = os.readv

    def refuse(descriptor: int, buffers: Any) -> int:
        if os.fstat(descriptor).st_ino == refused:
            raise OSError(5, "Input/output error")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", refuse)
    summary = prove(runner)
    assert outcomes(summary) == {"good": 5, "changed": 1, "damaged": 1, "unreadable": 1, "missing": 1}
    assert {(str(one.outcome), os.path.basename(one.path)) for one in summary.findings} == {
        ("changed", b"IMG_0000.jpg"),
        ("damaged", b"IMG_0003.jpg"),
        ("missing", b"IMG_0001.jpg"),
        ("unreadable", b"IMG_0004.jpg"),
    }
    assert all(one.copy is None for one in summary.findings)


def test_what_a_scan_has_taken_in_is_good_again(runner: LibraryRunner, photos: Path) -> None:
    (photos / "0" / "IMG_0000.jpg").write_bytes(jpeg(100))
    assert outcomes(prove(runner)) == {"good": 8, "changed": 1}
    runner.scan()
    summary = prove(runner, older_than_seconds=3600.0)
    assert outcomes(summary) == {"good": 1, "younger": 8}


def test_a_sample_takes_the_library_in_turn(runner: LibraryRunner) -> None:
    turns = []
    for _ in range(3):
        before = set(proved(runner))
        assert outcomes(prove(runner, sample=1 / 3)) == {"good": 3}
        turns.append(set(proved(runner)) - before)
    assert [len(turn) for turn in turns] == [3, 3, 3]
    assert proved(runner) == [f"IMG_{number:04}.jpg" for number in (0, 3, 6, 1, 4, 7, 2, 5, 8)], "by folders"
    prove(runner, sample=1 / 3)
    assert proved(runner)[:3] == [f"IMG_{number:04}.jpg" for number in (1, 4, 7)], "the oldest proofs come first"


def test_what_was_proved_lately_is_left_out(runner: LibraryRunner, photos: Path) -> None:
    prove(runner)
    assert outcomes(prove(runner, older_than_seconds=86400.0)) == {"younger": 9}
    write_photo(photos / "new.jpg", 50)
    runner.scan()
    assert outcomes(prove(runner, older_than_seconds=86400.0)) == {"good": 1, "younger": 9}
    age_proofs(runner, 2 * 86400)
    assert outcomes(prove(runner, older_than_seconds=86400.0)) == {"good": 10}


def test_damage_is_never_taken_for_proved(runner: LibraryRunner, photos: Path) -> None:
    damage(os.fsencode(photos / "0" / "IMG_0003.jpg"))
    prove(runner)
    assert outcomes(prove(runner, older_than_seconds=86400.0)) == {"damaged": 1, "younger": 8}


def test_files_that_are_gone_do_not_use_up_the_sample(runner: LibraryRunner, photos: Path) -> None:
    for path in (photos / "0").iterdir():
        path.unlink()
    for _ in range(2):
        assert outcomes(prove(runner, sample=1 / 3)) == {"good": 3, "missing": 3}
    assert len(proved(runner)) == 6


def test_a_copy_is_named_as_the_cure_only_after_its_bytes_were_read(runner: LibraryRunner, photos: Path) -> None:
    torn = photos / "0" / "IMG_0003.jpg"
    shutil.copy(torn, photos / "bad copy.jpg")
    shutil.copy(torn, photos / "good copy.jpg")
    os.link(torn, photos / "0" / "the same file.jpg")
    runner.scan()
    damage(os.fsencode(torn))
    damage(os.fsencode(photos / "bad copy.jpg"))
    summary = prove(runner)
    assert summary.damaged == 3
    assert {one.copy for one in summary.findings} == {os.fsencode(photos / "good copy.jpg")}
    (photos / "good copy.jpg").unlink()
    assert {one.copy for one in prove(runner).findings} == {None}


def test_a_plan_names_each_damaged_file_with_its_good_copy(runner: LibraryRunner, photos: Path, tmp_path: Path) -> None:
    torn, lost = photos / "0" / "IMG_0003.jpg", photos / "1" / "IMG_0001.jpg"
    shutil.copy(torn, photos / "copy.jpg")
    runner.scan()
    damage(os.fsencode(torn))
    damage(os.fsencode(lost))
    os.utime(photos / "2" / "IMG_0002.jpg")
    write_plan(prove(runner).findings, tmp_path / "plan.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "plan.jsonl").read_bytes().splitlines()]
    assert {(line["path"], line["copy"]) for line in lines} == {
        (str(torn), str(photos / "copy.jpg")),
        (str(lost), None),
    }


def test_a_volume_that_is_not_mounted_is_counted_and_no_damage(runner: LibraryRunner) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET identity = 'nfs:server:/nas', label = 'NAS'")
    summary = prove(runner)
    assert (outcomes(summary), dict(summary.offline)) == ({}, {"NAS": 9})
    assert not proved(runner)


def test_a_volume_that_goes_away_meanwhile_is_left_out_from_there(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = photos.with_name("unplugged")

    def unplug(event: object) -> None:
        if isinstance(event, PhaseAdvanced) and photos.exists():
            photos.rename(kept)
            monkeypatch.setattr("photoindex.library.verify.originals.mount_with_identity", lambda *_a, **_k: None)

    with runner.open() as library:
        summary = verify_originals(library, OriginalsRequest(), unplug)
    assert summary.good == 9 - sum(summary.offline.values()) > 0
    assert (summary.missing, summary.unreadable, summary.findings) == (0, 0, [])


def test_a_run_that_is_stopped_keeps_what_it_proved_and_the_next_goes_on(runner: LibraryRunner) -> None:
    def stop() -> bool:
        return any(isinstance(event, PhaseAdvanced) and event.done >= 2 for event in runner.events[-3:])

    summary = prove(runner, stop=stop)
    assert summary.stopped
    assert summary.good + summary.left == 9
    assert len(proved(runner)) == summary.good >= 2
    runner.events.clear()
    assert outcomes(prove(runner, older_than_seconds=3600.0)) == {"good": summary.left, "younger": summary.good}


def test_no_file_is_begun_after_the_time_is_up(runner: LibraryRunner) -> None:
    summary = prove(runner, window_seconds=1e-9)
    assert (outcomes(summary), summary.window_ended, summary.stopped) == ({"left": 9}, True, False)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system does not count the time of sleep")
def test_time_is_up_after_the_computer_slept(runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping = SleepingComputer(monkeypatch)

    def falls_asleep() -> bool:
        sleeping.sleep(600.0)
        return False

    summary = prove(runner, stop=falls_asleep, window_seconds=1800.0)
    assert summary.window_ended
    assert 0 < summary.good < 9


def test_single_files_and_folders_can_be_named(runner: LibraryRunner, photos: Path) -> None:
    chosen = (os.fsencode(photos / "0"), os.fsencode(photos / "1" / "IMG_0001.jpg"))
    assert outcomes(prove(runner, paths=chosen)) == {"good": 4}
    with pytest.raises(NothingFound):
        prove(runner, paths=(b"/nowhere",))


def test_files_that_were_never_photos_are_not_read(runner: LibraryRunner, photos: Path) -> None:
    (photos / "notes.txt").write_bytes(b"no photo")
    runner.scan()
    assert outcomes(prove(runner)) == {"good": 9}


def test_two_runs_do_not_read_the_same_files(runner: LibraryRunner) -> None:
    with exclusive(runner.folder, "another", name=LOCK_NAME), pytest.raises(LibraryLocked):
        prove(runner)


def test_a_file_that_a_scan_takes_in_meanwhile_is_no_finding(runner: LibraryRunner, photos: Path) -> None:
    edited = photos / "2" / "IMG_0008.jpg"

    def edit_and_scan(event: object) -> None:
        if isinstance(event, PhaseAdvanced) and edited.read_bytes() != jpeg(100):
            edited.write_bytes(jpeg(100))
            LibraryRunner(runner.folder).scan()

    with runner.open() as library:
        summary = verify_originals(library, OriginalsRequest(), edit_and_scan)
    assert not summary.findings
    assert "IMG_0008.jpg" not in proved(runner)
