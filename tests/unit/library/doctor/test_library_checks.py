"""Checks of a library: what is well, what is a warning, what fails."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from photoindex.library.backup.backup import BackupRequest, backup
from photoindex.library.backup.notes import NOTE_NAME, backup_notes
from photoindex.library.doctor import library_checks
from photoindex.library.doctor.doctor import LIBRARY_CHECKS, examine_library
from photoindex.library.doctor.examination import Finding
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.verify.originals import OriginalsRequest, verify_originals
from photoindex.progress import ignore_events
from photoindex.store.night import throughput
from photoindex.store.night.throughput import Piece
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.spaces import SpaceRows
from tests.tiny_model import MODEL_ID, install_tiny
from tests.unit.media.test_rereading import damage
from tests.vectors import unit_vectors

GB = 1_000_000_000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def runner(library_folder: Path, tmp_path: Path) -> LibraryRunner:
    """A library of three scanned photos."""
    write_photos(tmp_path / "photos", 3)
    runner = LibraryRunner(library_folder)
    runner.scan(tmp_path / "photos")
    return runner


@pytest.fixture
def library(runner: LibraryRunner) -> Iterator[Library]:
    with runner.open() as library:
        yield library


def levels(found: Iterator[Finding]) -> list[str]:
    findings = list(found)
    assert all(one.remedy for one in findings if one.level == "warn")
    return [str(one.level) for one in findings]


@pytest.mark.parametrize(
    ("free", "expected"),
    [(600 * GB, ["ok", "ok"]), (299 * GB, ["ok", "warn"]), (99 * GB, ["warn", "warn"]), (GB // 2, ["fail", "warn"])],
)
def test_little_free_space_is_said_of_both_disks(
    library: Library, monkeypatch: pytest.MonkeyPatch, free: int, expected: list[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1000 * GB, 1000 * GB - free, free))
    assert levels(library_checks.free_space(library)) == expected


def test_an_open_folder_and_one_that_cannot_be_read_are_said(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(library_checks.permissions(library)) == ["ok"]
    library.folder.chmod(0o755)
    (found,) = library_checks.permissions(library)
    assert (found.level, found.remedy) == ("warn", f"chmod 700 {library.folder}")
    library.folder.chmod(0o700)
    monkeypatch.setattr("photoindex.file_access.is_allowed", lambda *_arguments: False)
    assert "fail" in levels(library_checks.permissions(library))


def test_a_library_from_the_future_means_a_wrong_clock(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(library_checks.clock(library)) == ["ok"]
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now - 7200)
    assert levels(library_checks.clock(library)) == ["warn"]


def test_a_lock_is_named_and_one_that_is_held_for_days_is_a_warning(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one.text for one in library_checks.locks(library)] == ["no command is changing the library"]
    with exclusive(library.folder, "photoindex scan"):
        (held,) = library_checks.locks(library)
        assert (held.level, "photoindex scan" in held.text) == ("ok", True)
        later = time.time() + 2 * 86_400
        monkeypatch.setattr("time.time", lambda: later)
        assert levels(library_checks.locks(library)) == ["warn"]


def test_models_are_whole_cut_or_missing(library: Library, tmp_path: Path) -> None:
    assert levels(library_checks.models(library)) == ["warn"]
    install_tiny(library.folder)
    assert levels(library_checks.models(library)) == ["ok"]
    SpaceRows(library, tmp_path / "originals", "another")
    assert levels(library_checks.models(library)) == ["fail"]
    cut = next((library.models_folder / MODEL_ID).rglob("*.onnx"))
    os.truncate(cut, 10)
    assert levels(library_checks.models(library)) == ["fail", "fail"]


def test_a_damaged_index_is_a_warning(library: Library, tmp_path: Path) -> None:
    from photoindex.library.index.maintain import rebuild

    assert levels(library_checks.index(library)) == ["ok"]
    space = SpaceRows(library, tmp_path / "originals")
    space.add(unit_vectors(40))
    list(rebuild(library))
    assert levels(library_checks.index(library)) == ["ok"]
    (space.folder / "DAMAGED").write_text("a test")
    (found,) = library_checks.index(library)
    assert (found.level, found.remedy) == ("warn", "photoindex index rebuild")


@pytest.mark.parametrize(("retried", "level"), [(0, "ok"), (5, "ok"), (6, "warn")])
def test_more_than_one_retry_in_two_hundred_tasks_is_a_warning(library: Library, retried: int, level: str) -> None:
    with library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM throughput")
        throughput.record(connection, Piece("embed", 1000, 10.0, retried=retried))
    assert levels(library_checks.retries(library)) == [level]


def test_proofs_of_originals_are_missing_fresh_old_or_bad(library: Library, tmp_path: Path) -> None:
    assert levels(library_checks.originals(library)) == ["warn"]
    verify_originals(library, OriginalsRequest())
    assert levels(library_checks.originals(library)) == ["ok"]
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE proof SET at = at - 200 * 86400")
    assert levels(library_checks.originals(library)) == ["warn"]
    damage(os.fsencode(tmp_path / "photos" / "0" / "IMG_0000.jpg"))
    verify_originals(library, OriginalsRequest())
    assert levels(library_checks.originals(library)) == ["fail", "warn"]


def test_backups_are_missing_fresh_away_old_unproved_or_damaged(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(library_checks.backups(library)) == ["warn"]
    made = backup(library, BackupRequest(tmp_path / "backup", initialise=True), ignore_events).snapshot
    assert levels(library_checks.backups(library)) == ["ok"]
    (made.path / "verified.json").rename(tmp_path / "kept")
    (found,) = library_checks.backups(library)
    assert (found.level, found.remedy) == ("warn", f"photoindex backup verify {made.path}")
    (tmp_path / "kept").rename(made.path / "verified.json")
    (tmp_path / "backup").rename(tmp_path / "away")
    assert levels(library_checks.backups(library)) == ["warn"]
    (tmp_path / "away").rename(tmp_path / "backup")
    part = next(made.path.glob("photoindex.db*"))
    os.truncate(part, 5)
    assert levels(library_checks.backups(library)) == ["fail"]
    later = time.time() + 8 * 86_400
    monkeypatch.setattr("time.time", lambda: later)
    assert levels(library_checks.backups(library)) == ["fail", "warn"]


@pytest.mark.parametrize("text", ["", "[]", '{"destinations": []}', '{"destinations": {"/a": {"at": "x"}}}'])
def test_a_damaged_note_of_backups_is_as_none(library: Library, text: str) -> None:
    (library.folder / NOTE_NAME).write_text(text)
    assert backup_notes(library) == []


def test_a_check_that_ends_with_an_error_has_failed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_library: Library) -> Iterator[Finding]:
        raise OSError(5, "Input/output error")
        yield

    checks: tuple[tuple[str, Callable[[Library], Iterator[Finding]]], ...] = (("broken", broken), *LIBRARY_CHECKS[-1:])
    monkeypatch.setattr("photoindex.library.doctor.doctor.LIBRARY_CHECKS", checks)
    assert [(name, str(one.level)) for name, one in examine_library(library)] == [
        ("broken", "fail"),
        ("backups", "warn"),
    ]
