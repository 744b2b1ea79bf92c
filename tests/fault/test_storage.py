"""A full disk stops the run with its own error; committed work is kept and the next scan resumes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from photoindex.errors import StorageFull
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner, counts
from tests.model_folders import TINY_CLIP
from tests.originals import write_photo, write_photos


def test_a_full_disk_for_previews_stops_the_scan_and_keeps_finished_work(tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "photos"
    for index in range(40):
        write_photo(folder / f"{index}.jpg", index, size=(1600, 1200))
    runner = LibraryRunner(tmp_path / "library", {"derived_path": small_disk, "scan.batch_size": 4})
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 2_500_000)
    with pytest.raises(StorageFull, match="free some space"):
        runner.scan(folder)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0
    assert runner.value("SELECT count(*) FROM task WHERE state = 'running'") == 0
    done = runner.value("SELECT count(*) FROM task WHERE state = 'done'")
    assert done < 40
    filler.unlink()
    assert counts(runner.scan(folder)) == {"new": 40 - done} | ({"unchanged": done} if done else {})


def test_a_full_disk_for_the_database_stops_the_scan_and_damages_nothing(tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, 200)
    runner = LibraryRunner(small_disk / "library", {"derived_path": tmp_path / "derived"})
    with runner.open():
        pass
    free = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 150_000))
    with pytest.raises(StorageFull):
        runner.scan(folder)
    (small_disk / "filler").unlink()
    assert runner.value("PRAGMA integrity_check") == "ok"
    summary = runner.scan(folder)
    assert summary.new + summary.unchanged == 200


def test_an_unwritable_folder_for_previews_stops_the_scan_and_quarantines_no_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, 3)
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    runner = LibraryRunner(tmp_path / "library", {"derived_path": blocked / "derived"})
    with pytest.raises(StorageFull, match="derived"):
        runner.scan(folder)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0


READING = {
    "search": ["search", "date:2019..", "--json"],
    "show": ["show", "{photo}", "--json"],
    "status": ["status", "--json"],
    "log": ["log", "--json"],
    "sql": ["sql", "SELECT count(*) FROM v_photo"],
    "why": ["why", "{photo}"],
    "tasks": ["tasks", "--json"],
    "pair explain": ["pair", "explain", "{photo}"],
    "events": ["events"],
    "saved": ["saved"],
    "index status": ["index", "status"],
    "spaces list": ["spaces", "list"],
    "spaces eval": ["spaces", "eval", "{queries}", "--k", "1"],
    "search by meaning": ["search", "a red circle", "--json"],
    "embed --dry-run": ["embed", "--dry-run", "--json"],
    "models list": ["models", "list", "--json"],
    "models show": ["models", "show", "tiny-clip", "--json"],
    "duplicates": ["duplicates", "--json"],
    "prune --dry-run": ["prune", "--dry-run", "--json"],
    "backup": ["backup", "{destination}", "--init"],
}
CHANGES_ITS_ANSWER = {"status", "spaces eval", "backup"}
"""`status` tells of the full disk, an evaluation of its time, a snapshot of its name."""


@pytest.fixture
def on_small_disk(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> LibraryRunner:
    """A library of three photos with vectors on a file system of its own."""
    write_photos(tmp_path / "photos", 3)
    monkeypatch.setenv("DERIVED_PATH", str(tmp_path / "derived"))
    monkeypatch.setenv("PHOTOINDEX_MODELS_PATH", str(tmp_path / "models"))
    runner = LibraryRunner(small_disk / "library", {"derived_path": tmp_path / "derived"})
    runner.scan(tmp_path / "photos")
    for words in (
        ["models", "install", TINY_CLIP, "--id", "tiny-clip"],
        ["embed", "--device", "cpu"],
        ["spaces", "use", "tiny-clip"],
    ):
        ran = run(capsysbinary, "--library", runner.folder, *words)
        assert ran.code == 0, ran.err
    return runner


def answers(runner: LibraryRunner, photos: Path, capture: pytest.CaptureFixture[bytes]) -> dict[str, CommandResult]:
    photo = next(photos.rglob("*.jpg"))
    queries = photos.with_name("queries.txt")
    queries.write_text(f"a red circle\t{photo}\n")
    words = {"photo": photo, "queries": queries, "destination": photos.with_name("backups")}
    return {
        name: run(capture, "--library", runner.folder, *(word.format(**words) for word in command))
        for name, command in READING.items()
    }


@pytest.mark.parametrize("state", ["read-only", "read-only with a log", "full", "full with a log"])
def test_what_only_reads_answers_where_nothing_can_be_written_and_says_so_in_one_line(
    on_small_disk: LibraryRunner,
    small_disk: Path,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    state: str,
    request: pytest.FixtureRequest,
) -> None:
    usual = answers(on_small_disk, tmp_path / "photos", capsysbinary)
    with on_small_disk.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM event")  # as if `events` had never been asked
    assert {name: one.code for name, one in usual.items()} == dict.fromkeys(READING, 0)
    if state == "read-only with a log":
        leave_a_log(on_small_disk)
    if state == "full with a log":
        other = sqlite3.connect(on_small_disk.folder / "photoindex.db")
        other.execute("PRAGMA user_version").fetchone()  # keeps the log and its shared memory
        request.addfinalizer(other.close)
    if state.startswith("full"):
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
    else:
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for name, one in answers(on_small_disk, tmp_path / "photos", capsysbinary).items():
        assert one.code == 0, (name, one.err)
        if name not in CHANGES_ITS_ANSWER:
            assert one.out == usual[name].out, name
        (line,) = one.err.decode().splitlines()[:1]
        assert "only reading, nothing is saved" in line, (name, one.err)


def leave_a_log(runner: LibraryRunner) -> None:
    """Leave the last changes in the log alone, as a killed program does."""
    program = (
        "import sqlite3, os, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode = WAL');"
        "c.execute('PRAGMA user_version = 7'); os._exit(0)"
    )
    database = runner.folder / "photoindex.db"
    subprocess.run([sys.executable, "-c", program, database], check=True)
    assert database.with_name("photoindex.db-wal").stat().st_size > 0
    database.with_name("photoindex.db-shm").unlink()


def test_a_command_that_writes_is_refused_by_name_on_a_read_only_disk(
    on_small_disk: LibraryRunner, small_disk: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for words in (["scan"], ["retry"], ["search", "date:2019..", "--saved", "x"]):
        ran = run(capsysbinary, "--library", on_small_disk.folder, *words)
        assert ran.code in (9, 14, 15), (words, ran.err)
        assert b"Traceback" not in ran.err
