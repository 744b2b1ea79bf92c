"""`watch`: what changes is scanned soon, by itself and once; nothing else is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import LibraryLocked, StorageFull, UsageError
from photoindex.library.lock import exclusive
from photoindex.library.scan import watch as watch_module
from photoindex.library.scan.scan import ScanSummary
from photoindex.library.scan.watch import WatchRequest, watch
from photoindex.progress import Notice
from tests.harness import LibraryRunner
from tests.originals import write_photo, write_photos

pytest.importorskip("watchfiles")
SOON = WatchRequest(calm_seconds=0.2, fallback_seconds=0.5)
WAIT_SECONDS = 60


@dataclass
class Watched:
    """A library that is being watched, and the scans of it so far."""

    runner: LibraryRunner
    scans: list[ScanSummary] = field(default_factory=list)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        for _ in range(WAIT_SECONDS * 20):
            if is_so():
                return
            time.sleep(0.05)
        raise AssertionError(f"it never is: {self.scans}")

    @property
    def new(self) -> int:
        """Photos that were found so far."""
        return sum(one.new for one in self.scans)


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    write_photos(tmp_path / "photos", 2)
    write_photo(tmp_path / "photos" / "old.jpg", 40)
    runner = LibraryRunner(tmp_path / "photos" / "library")  # within what is watched
    runner.scan(tmp_path / "photos")
    runner.events.clear()
    return runner


@contextmanager
def watching(runner: LibraryRunner, request: WatchRequest = SOON) -> Iterator[Watched]:
    watched, ended, failed = Watched(runner), threading.Event(), []

    def run() -> None:
        try:
            with runner.open() as library:
                watch(library, request, runner.events.append, watched.scans.append, ended.is_set)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        watched.until(lambda: bool(watched.scans))
        yield watched
    finally:
        ended.set()
        thread.join(WAIT_SECONDS)
    assert not failed


def test_new_photos_are_found_by_themselves_and_scans_do_not_set_off_scans(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    """The library lies in the watched folder, and writing previews there is no change."""
    (tmp_path / "photos" / "2024").mkdir()
    with watching(runner) as watched:
        write_photo(tmp_path / "photos" / "2024" / "new.jpg", 50)
        watched.until(lambda: watched.new == 1)
        number = len(watched.scans)
        time.sleep(2)
        assert len(watched.scans) == number
    assert watched.scans[-1].unchanged == 0, "only the folder that changed was walked"


def test_many_files_that_arrive_together_are_scanned_together(runner: LibraryRunner, tmp_path: Path) -> None:
    with watching(runner, WatchRequest(calm_seconds=1.0)) as watched:
        for number in range(10):
            write_photo(tmp_path / "photos" / "trip" / f"{number}.jpg", 100 + number)
            time.sleep(0.1)
        watched.until(lambda: watched.new == 10)
        assert len(watched.scans) <= 3


def test_a_photo_that_is_removed_is_missing_soon(runner: LibraryRunner, tmp_path: Path) -> None:
    with watching(runner) as watched:
        (tmp_path / "photos" / "old.jpg").unlink()
        watched.until(lambda: any(one.newly_missing for one in watched.scans))


def test_a_name_that_is_not_utf8_is_found(runner: LibraryRunner, tmp_path: Path) -> None:
    with watching(runner) as watched:
        folder = os.path.join(os.fsencode(tmp_path / "photos"), b"caf\xe9")
        write_photo(Path(os.fsdecode(folder)) / "a.jpg", 60)
        watched.until(lambda: watched.new == 1)


def test_where_changes_cannot_be_watched_everything_is_scanned_again_and_again(
    runner: LibraryRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", full)
    with watching(runner) as watched:
        write_photo(tmp_path / "photos" / "new.jpg", 50)
        watched.until(lambda: watched.new == 1)
    (said,) = [one.message for one in runner.events if isinstance(one, Notice) and one.level == "warning"]
    assert "OS file watch limit reached" in said
    assert "everything is scanned every 0 s instead" in said


def test_a_change_during_another_command_is_scanned_after_it(runner: LibraryRunner, tmp_path: Path) -> None:
    with watching(runner) as watched:
        with exclusive(runner.folder, "another scan"):
            write_photo(tmp_path / "photos" / "new.jpg", 50)
            time.sleep(2)
            assert watched.new == 0
        watched.until(lambda: watched.new == 1)


def test_a_scan_of_everything_that_fails_is_not_tried_again_at_once(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = watch_module.scan, []

    def scan_once(*arguments: Any) -> ScanSummary:
        tried.append(arguments)
        if len(tried) > 1:
            raise StorageFull("the disk is full")
        return real(*arguments)

    monkeypatch.setattr(watch_module, "scan", scan_once)
    request = WatchRequest(calm_seconds=0.2, rescan_seconds=0.1, again_seconds=600.0)
    with watching(runner, request) as watched:
        watched.until(lambda: len(tried) > 1)
        time.sleep(2.0)  # four ticks
    assert len(tried) == 2
    assert sum(isinstance(one, Notice) and "the disk is full" in one.message for one in runner.events) == 1


def test_a_library_is_watched_once_and_needs_a_folder(runner: LibraryRunner, tmp_path: Path) -> None:
    with watching(runner), pytest.raises(LibraryLocked, match="`watch`"), runner.open() as library:
        watch(library, SOON, runner.events.append, lambda _: None)
    with LibraryRunner(tmp_path / "empty").open() as library, pytest.raises(UsageError):
        watch(library, SOON, runner.events.append, lambda _: None)
