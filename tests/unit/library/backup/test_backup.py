"""Snapshots are consistent while others write, appear atomically, and every changed byte is detected."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from blake3 import blake3
from sqlalchemy import insert, update

from photoindex.errors import DatabaseFailed, LibraryLocked, SchemaTooNew, SnapshotDamaged, StorageFull, UsageError
from photoindex.library.backup.backup import BACKUP_LOCK_NAME, BackupRequest, _rename_to_free_name, backup
from photoindex.library.backup.destination import MARKER_NAME
from photoindex.library.backup.notes import NOTE_NAME
from photoindex.library.backup.snapshots import (
    VERIFIED_NAME,
    SnapshotState,
    inspect_snapshot,
    list_snapshots,
    read_manifest,
    verify,
)
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.progress import Event, Notice, PhaseFinished, PhaseStarted
from photoindex.store.engine import snapshot
from photoindex.store.engine.database import Database
from photoindex.store.engine.snapshot import problems_of
from photoindex.store.journal import journal
from photoindex.store.schema.tables import photo
from tests.rows import VolumeRows, library_in

LONG_AGO = time.time() - 7200


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library of three photos, one with a name that is not UTF-8, and one entry in the journal."""
    originals = tmp_path / "originals"
    originals.mkdir()
    with library_in(tmp_path / "library") as found:
        volume_rows = VolumeRows(found, originals)
        volume_rows.add_root()
        for name in ("2019/a.jpg", b"2019/\xff.jpg", "b.jpg"):
            volume_rows.add_whole_photo(name)
        with found.database.write() as connection:
            before = journal.stored_row(connection, photo, {"id": 1})
            connection.execute(update(photo).where(photo.c.id == 1).values(rating=4))
            after = journal.stored_row(connection, photo, {"id": 1})
            change = journal.Change("photo", {"id": 1}, before, after)
            journal.record(connection, command="rate", summary="4 stars", changes=[change])
        yield found


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "nas" / "snapshots"


def content(folder: Path, piece: str) -> bytes:
    with open(folder / f"{piece}.zst", "rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


def rows(path: Path) -> list[str]:
    """Return everything in a database file as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        names = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [f"{name} {row!r}" for name in sorted(names) for row in connection.execute(f'SELECT * FROM "{name}"')]


def make(library: Library, destination: Path, keep: int | None = None) -> Path:
    return backup(library, BackupRequest(destination, keep, initialise=True)).snapshot.path


def snapshots_in(destination: Path) -> list[Path]:
    """Return the folders in a destination, unfinished ones too."""
    return sorted(path for path in destination.iterdir() if path.is_dir())


def age(folder: Path, created_at: str) -> Path:
    """Change a snapshot's creation time, as if it were old."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["created_at"] = created_at
    del manifest["blake3"]
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    manifest["blake3"] = blake3(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder.rename(folder.with_name(f"photoindex-{created_at.replace('-', '').replace(':', '')}"))


def test_a_snapshot_contains_every_row_of_the_library(library: Library, destination: Path, tmp_path: Path) -> None:
    folder = make(library, destination)

    copy = tmp_path / "copy.db"
    copy.write_bytes(content(folder, "photoindex.db"))
    assert rows(copy) == rows(library.database.path)
    manifest = read_manifest(folder)
    assert manifest.counts == {"photos": 3, "files": 3, "assets": 3}
    assert {part.name for part in manifest.pieces} == {"photoindex.db", "journal.jsonl"}
    for part in manifest.pieces:
        raw, stored = content(folder, part.name), (folder / part.file_name).read_bytes()
        assert (part.bytes, part.blake3) == (len(raw), blake3(raw).hexdigest())
        assert (part.compressed_bytes, part.compressed_blake3) == (len(stored), blake3(stored).hexdigest())
    assert folder.name.startswith("photoindex-2")
    assert folder.name.endswith("Z")


def test_the_journal_is_in_the_snapshot_as_json_lines(library: Library, destination: Path) -> None:
    lines = [json.loads(line) for line in content(make(library, destination), "journal.jsonl").splitlines()]
    assert [(line["kind"], line["id"]) for line in lines] == [("entry", 1), ("change", 1)]
    assert lines[0]["summary"] == "4 stars"
    assert (lines[1]["before"]["rating"], lines[1]["after"]["rating"]) == (None, 4)


def test_the_users_settings_are_in_the_snapshot_if_there_are_any(
    library: Library, destination: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("[backup]\nkeep = 3\n")
    monkeypatch.setenv("PHOTOINDEX_CONFIG", str(settings))
    assert content(make(library, destination), "config.toml") == b"[backup]\nkeep = 3\n"


def test_a_copy_is_one_state_of_the_database_while_others_commit(library: Library, tmp_path: Path) -> None:
    row = {"kind": "image", "format": "jpeg", "size_bytes": 1, "keywords": [], "sources": {}, "added_at": 0.0}
    with library.database.write() as connection:
        connection.execute(insert(photo), [{**row, "title": "old", "description": "x" * 5_000} for _ in range(4_000)])
    steps: list[int] = []
    writer = Database(library.database.path)

    def write_meanwhile(done: int, _total: int) -> None:
        steps.append(done)
        assert len(steps) < 100, "the copy keeps restarting"
        with writer.write() as connection:
            connection.execute(insert(photo).values(**row, title="new"))
            connection.execute(update(photo).where(photo.c.id == 10 + len(steps)).values(title="changed"))

    snapshot.copy(library.database.address, tmp_path / "copy.db", write_meanwhile)
    writer.close()

    assert len(steps) > 2, "the copy was not made in steps, so nothing was written meanwhile"
    assert steps == sorted(steps), "the copy was restarted"
    assert snapshot.problems_of(tmp_path / "copy.db") == []
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT count(*) FROM photo WHERE title = 'old'").fetchone()[0] == 4_000
        assert copied.execute("SELECT count(*) FROM photo WHERE title IN ('new', 'changed')").fetchone()[0] == 0


def test_no_temporary_files_are_left_in_the_destination_and_the_library(library: Library, destination: Path) -> None:
    before = set(os.listdir(library.folder))
    folder = make(library, destination)
    assert snapshots_in(destination) == [folder]
    assert len(os.listdir(destination)) == 2
    assert set(os.listdir(library.folder)) - before <= {BACKUP_LOCK_NAME, NOTE_NAME, "logs"}


def test_only_the_newest_of_this_library_are_kept(library: Library, destination: Path, tmp_path: Path) -> None:
    oldest = age(make(library, destination), "2019-01-01T00:00:00Z")
    old = age(make(library, destination), "2020-01-01T00:00:00Z")
    with library_in(tmp_path / "other") as other:
        foreign = age(make(other, destination), "2018-01-01T00:00:00Z")

    made = backup(library, BackupRequest(destination, keep=2))

    assert made.removed == (oldest,)
    assert snapshots_in(destination) == sorted([foreign, old, made.snapshot.path])


def test_the_new_snapshot_stays_even_if_the_clock_was_set_back(library: Library, destination: Path) -> None:
    age(make(library, destination), "2999-01-01T00:00:00Z")
    folder = make(library, destination, keep=1)
    assert snapshots_in(destination) == [folder]


def test_damaged_snapshots_neither_count_nor_are_removed(library: Library, destination: Path) -> None:
    whole = age(make(library, destination), "2019-01-01T00:00:00Z")
    damaged = age(make(library, destination), "2020-01-01T00:00:00Z")
    (damaged / "photoindex.db.zst").unlink()
    made = backup(library, BackupRequest(destination, keep=2))
    assert made.removed == ()
    assert snapshots_in(destination) == sorted([whole, damaged, made.snapshot.path])


def test_the_configured_number_is_kept_without_the_option(library: Library, destination: Path) -> None:
    first = age(make(library, destination), "2019-01-01T00:00:00Z")
    for year in range(2020, 2033):
        shutil.copytree(first, destination / "photoindex-copy")
        age(destination / "photoindex-copy", f"{year}-01-01T00:00:00Z")
    assert backup(library, BackupRequest(destination)).removed == (first,)
    assert len(snapshots_in(destination)) == library.config.backup.keep == 14


def test_a_second_snapshot_in_the_same_second_gets_its_own_name(tmp_path: Path) -> None:
    taken = tmp_path / "photoindex-20260101T000000Z"
    taken.mkdir()
    (taken / "manifest.json").touch()
    building = tmp_path / ".photoindex-x"
    building.mkdir()
    assert _rename_to_free_name(building, taken) == tmp_path / "photoindex-20260101T000000Z-2"


def test_a_second_backup_of_the_library_at_the_same_time_is_refused(library: Library, destination: Path) -> None:
    with exclusive(library.folder, "backup", name=BACKUP_LOCK_NAME), pytest.raises(LibraryLocked, match="`backup`"):
        make(library, destination)


def test_a_backup_is_made_while_another_command_changes_the_library(library: Library, destination: Path) -> None:
    with exclusive(library.folder, "scan"), library.database.write() as connection:
        connection.execute(update(photo).values(title="not yet committed"))
        folder = make(library, destination)
    assert b"not yet committed" not in content(folder, "photoindex.db")


@pytest.mark.parametrize("where", ["library", "destination"])
def test_a_full_disk_is_reported_before_anything_is_written(
    library: Library, destination: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    real = shutil.disk_usage
    full = library.folder if where == "library" else destination

    def usage(path: str | Path) -> object:
        found = real(path)
        return found._replace(free=10) if Path(path) == full else found

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(StorageFull, match=f"needs about .* MB in .*{full.name}, but only 0 MB are free"):
        make(library, destination)
    assert snapshots_in(destination) == []
    assert not list(library.folder.glob(".backup-*"))


def test_a_destination_that_is_a_file_is_refused_by_name(library: Library, tmp_path: Path) -> None:
    (tmp_path / "occupied").touch()
    with pytest.raises(UsageError, match=r"the backup to .*occupied failed"):
        make(library, tmp_path / "occupied")


KILLED = """
import os, pathlib, signal, sys
from photoindex.progress import PhaseStarted, PhaseFinished
from photoindex.library.backup.backup import BackupRequest, backup
from tests.rows import library_in

def die(event):
    if isinstance(event, PhaseFinished) and event.phase == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

with library_in(pathlib.Path(sys.argv[1])) as library:
    backup(library, BackupRequest(pathlib.Path(sys.argv[2]), initialise=True), die)
"""


@pytest.mark.parametrize("phase", ["copying the database", "compressing"])
def test_a_killed_backup_leaves_no_snapshot_and_later_ones_clean_up(
    library: Library, destination: Path, phase: str
) -> None:
    program = [sys.executable, "-c", KILLED, str(library.folder), str(destination), phase]
    root = Path(__file__).parents[4]
    assert subprocess.run(program, check=False, timeout=60, cwd=root).returncode == -signal.SIGKILL
    assert list(library.folder.glob(".backup-*"))
    assert [one.state for one in list_snapshots(destination)] == (["incomplete"] if phase == "compressing" else [])

    left = snapshots_in(destination)
    for path in [part for folder in left for part in (folder, *folder.iterdir())]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    folder = make(library, destination)
    assert snapshots_in(destination) == [folder]
    assert not list(library.folder.glob(".backup-*"))


def test_a_temporary_folder_of_a_running_backup_is_left_alone(library: Library, destination: Path) -> None:
    short_id = read_manifest(make(library, destination)).library_id[:8]
    recent = destination / f".photoindex-20260101T000000Z-{short_id}-1"
    foreign = destination / ".photoindex-20260101T000000Z-00000000-1"
    for path in (recent, foreign):
        path.mkdir()
        (path / "photoindex.db.zst").touch()
    for path in (foreign / "photoindex.db.zst", foreign):
        os.utime(path, (LONG_AGO, LONG_AGO))
    make(library, destination)
    assert {recent, foreign} <= set(destination.iterdir())


def test_a_failure_half_way_removes_the_temporary_folder(
    library: Library, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageFull, match="the disk is full"):
        make(library, destination)
    assert snapshots_in(destination) == []


def test_progress_is_reported_in_phases_that_finish(library: Library, destination: Path) -> None:
    events: list[Event] = []
    backup(library, BackupRequest(destination, initialise=True), events.append)
    started = [event.phase for event in events if isinstance(event, PhaseStarted)]
    assert started == [event.phase for event in events if isinstance(event, PhaseFinished)]
    assert started == ["copying the database", "checking the database", "compressing", "reading back"]


def test_verifying_an_intact_snapshot_is_recorded(library: Library, destination: Path) -> None:
    folder = make(library, destination)
    (folder / VERIFIED_NAME).unlink()
    assert inspect_snapshot(folder).verified_at is None
    checked = verify(folder)
    assert checked.state is SnapshotState.COMPLETE
    assert checked.verified_at is not None
    assert checked.verified_at.endswith("Z")
    assert next(list_snapshots(destination)).verified_at == checked.verified_at


@pytest.mark.parametrize("name", ["photoindex.db.zst", "journal.jsonl.zst", "manifest.json"])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 1.0])
def test_one_changed_bit_anywhere_is_detected_and_the_part_named(
    library: Library, destination: Path, name: str, place: float
) -> None:
    folder = make(library, destination)
    verify(folder)
    path = folder / name
    data = bytearray(path.read_bytes().rstrip(b"\n") if name == "manifest.json" else path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    with pytest.raises(SnapshotDamaged, match=name):
        verify(folder)
    assert inspect_snapshot(folder).verified_at is None


@pytest.mark.parametrize("damage", ["missing", "shorter", "longer"])
def test_a_part_of_the_wrong_size_shows_in_the_list_without_reading_it(
    library: Library, destination: Path, damage: str
) -> None:
    folder = make(library, destination)
    path = folder / "photoindex.db.zst"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if damage == "shorter" else path.read_bytes() + b"x")
    found = next(list_snapshots(destination))
    assert (found.state, found.path) == (SnapshotState.DAMAGED, folder)
    assert "photoindex.db.zst" in (found.problem or "")
    with pytest.raises(SnapshotDamaged, match=r"photoindex\.db\.zst"):
        verify(folder)


def _remade(folder: Path, **changes: object) -> None:
    """Rewrite the manifest with other values and a matching digest, as a forger would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["blake3"]
    manifest |= changes
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    manifest["blake3"] = blake3(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_part_outside_the_folder_is_not_touched(library: Library, destination: Path) -> None:
    folder = make(library, destination)
    pieces = json.loads((folder / "manifest.json").read_text())["pieces"]
    _remade(folder, pieces=[*pieces, {**pieces[0], "name": "../../outside"}])
    with pytest.raises(SnapshotDamaged, match=r"manifest\.json"):
        verify(folder)


def test_no_more_is_decompressed_than_the_manifest_states(library: Library, destination: Path, tmp_path: Path) -> None:
    folder = make(library, destination)
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    (folder / "photoindex.db.zst").write_bytes(bomb)
    pieces = json.loads((folder / "manifest.json").read_text())["pieces"]
    pieces[0] |= {"compressed_bytes": len(bomb), "compressed_blake3": blake3(bomb).hexdigest(), "bytes": 1_000}
    _remade(folder, pieces=pieces)
    with pytest.raises(SnapshotDamaged, match=r"photoindex\.db\.zst: its content is not 1000 bytes long"):
        verify(folder)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"schema": "1"}', "[" * 100_000, '{"schema": 1}'])
def test_an_invalid_manifest_makes_the_snapshot_damaged(library: Library, destination: Path, text: str) -> None:
    folder = make(library, destination)
    (folder / "manifest.json").write_text(text)
    with pytest.raises(SnapshotDamaged, match=r"manifest\.json"):
        verify(folder)
    assert inspect_snapshot(folder).state is SnapshotState.DAMAGED


def test_a_snapshot_without_manifest_is_incomplete_and_no_snapshot_is_a_usage_error(
    library: Library, destination: Path
) -> None:
    folder = make(library, destination)
    other = destination / "photoindex-20200101T000000Z"
    shutil.copytree(folder, other)
    with pytest.raises(UsageError, match="holds several snapshots; name one of them: ") as raised:
        verify(destination)
    assert str(folder) in str(raised.value)
    assert str(other) in str(raised.value)
    shutil.rmtree(other)
    with pytest.raises(UsageError, match=r"holds a snapshot; name it: .*photoindex-2"):
        read_manifest(destination)
    (folder / "manifest.json").unlink()
    with pytest.raises(SnapshotDamaged, match=r"is incomplete: manifest\.json is missing"):
        verify(folder)
    with pytest.raises(UsageError, match="is not a snapshot"):
        verify(library.folder)


def test_a_snapshot_in_a_newer_format_names_the_version_to_install(library: Library, destination: Path) -> None:
    folder = make(library, destination)
    _remade(folder, schema=2, program_version="9.9.9")
    with pytest.raises(SchemaTooNew, match=r"install photoindex 9\.9\.9 or later"):
        verify(folder)


def test_a_dangling_foreign_key_makes_the_snapshot_damaged(
    library: Library, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "photoindex.library.backup.backup._check", lambda *_: None
    )  # as earlier versions made snapshots
    with closing(library.database.raw_connection()) as connection:
        connection.execute("DELETE FROM photo_text")
        connection.execute("DELETE FROM photo WHERE id = 1")
        connection.commit()
    with pytest.raises(SnapshotDamaged, match=r"photoindex\.db: a row of asset points at a missing row of photo"):
        verify(make(library, destination))


def test_counts_that_do_not_match_the_database_make_the_snapshot_damaged(library: Library, destination: Path) -> None:
    folder = make(library, destination)
    _remade(folder, counts={"photos": 4, "files": 3, "assets": 3})
    with pytest.raises(SnapshotDamaged, match="do not match the manifest"):
        verify(folder)


def test_snapshots_are_listed_newest_first(library: Library, destination: Path) -> None:
    for created_at in ("2020-01-01T00:00:00Z", "2022-01-01T00:00:00Z", "2021-01-01T00:00:00Z"):
        age(make(library, destination), created_at)
    assert [(one.created_at or "")[:4] for one in list_snapshots(destination)] == ["2022", "2021", "2020"]
    with pytest.raises(UsageError, match="there is no folder"):
        list(list_snapshots(destination / "nowhere"))


def damage_a_page(library: Library, table: str = "file") -> None:
    """Overwrite the first page of a table, as a failing disk does."""
    with closing(sqlite3.connect(library.database.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    with open(library.database.path, "r+b") as file:
        file.seek((root - 1) * page_bytes + 200)
        file.write(b"\xa5" * (page_bytes - 200))


@pytest.mark.parametrize("table", ["file", "schema_history", "photo"])
def test_a_damaged_library_makes_no_snapshot_and_removes_none(library: Library, destination: Path, table: str) -> None:
    sound = age(make(library, destination), "2020-01-01T00:00:00Z")
    library.database.close()
    damage_a_page(library, table)
    with pytest.raises(DatabaseFailed, match=f"{library.database.path} is damaged"):
        make(library, destination, keep=1)
    assert snapshots_in(destination) == [sound]
    assert verify(sound).problem is None


def test_a_database_that_cannot_even_be_checked_has_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE a (b)")
    data = bytearray(file.read_bytes())
    data[100:4096] = b"\xa5" * 3996
    file.write_bytes(data)
    (problem,) = problems_of(file)
    assert str(file) not in problem


def test_what_the_destination_does_not_give_back_is_no_snapshot(
    library: Library, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = age(make(library, destination), "2020-01-01T00:00:00Z")

    def lose_a_bit(path: Path) -> None:
        if path.name == "photoindex.db.zst":
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)

    monkeypatch.setattr("photoindex.library.backup.snapshots.forget_cached", lose_a_bit)
    with pytest.raises(SnapshotDamaged, match=r"did not give back what was written .*photoindex\.db"):
        make(library, destination, keep=1)
    assert snapshots_in(destination) == [sound]


def test_a_snapshot_is_verified_when_it_gets_its_name(library: Library, destination: Path) -> None:
    folder = make(library, destination)
    (listed,) = list_snapshots(destination)
    assert (listed.path, listed.verified_at is not None) == (folder, True)


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_was_never_initialised_is_refused_and_stays_as_it_is(
    library: Library, destination: Path, exists: bool
) -> None:
    if exists:
        destination.mkdir(parents=True)
    with pytest.raises(UsageError, match=r"nothing was written.*photoindex backup .* --init"):
        backup(library, BackupRequest(destination))
    assert destination.exists() == exists
    assert not exists or list(destination.iterdir()) == []


def test_a_destination_is_initialised_once(library: Library, destination: Path) -> None:
    make(library, destination)
    marker = (destination / MARKER_NAME).read_bytes()
    backup(library, BackupRequest(destination))
    assert (destination / MARKER_NAME).read_bytes() == marker


def test_a_destination_with_a_snapshot_of_this_library_gets_its_marker(
    library: Library, destination: Path, tmp_path: Path
) -> None:
    with library_in(tmp_path / "other") as other:
        make(other, destination)
    (destination / MARKER_NAME).unlink()
    with pytest.raises(UsageError):
        backup(library, BackupRequest(destination))
    make(library, destination)
    (destination / MARKER_NAME).unlink()
    backup(library, BackupRequest(destination))
    assert (destination / MARKER_NAME).is_file()


def test_a_destination_on_the_librarys_own_disk_is_named_in_a_warning(library: Library, destination: Path) -> None:
    events: list[Event] = []
    backup(library, BackupRequest(destination, initialise=True), events.append)
    (warning,) = [event for event in events if isinstance(event, Notice)]
    assert "is on the disk of the library itself" in warning.message
