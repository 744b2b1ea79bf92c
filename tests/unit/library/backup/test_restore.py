"""Restoring a library is atomic and never overwrites an existing one."""

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
from blake3 import blake3
from sqlalchemy import func, select, text

from photoindex.app import open_library
from photoindex.config.load import load_config
from photoindex.config.schema import Config
from photoindex.errors import LibraryLocked, LibraryNotFound, SchemaTooNew, SnapshotDamaged, StorageFull, UsageError
from photoindex.library.backup.backup import BackupRequest, backup
from photoindex.library.backup.restore import RestoreRequest, restore
from photoindex.library.handle import Library
from photoindex.library.lock import HOLDER_NAME, exclusive
from photoindex.pipeline.ingest import derived_files
from photoindex.progress import Event, Notice
from photoindex.store.schema.tables import asset, photo
from photoindex.types import Derived
from tests.rows import VolumeRows, library_in

PICTURE = Derived(preview_jpeg=b"preview\xff\xd9", thumbnail_jpeg=b"thumbnail\xff\xd9", perceptual_hash=0)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library of three photos with previews."""
    originals = tmp_path / "originals"
    originals.mkdir()
    with library_in(tmp_path / "library") as found:
        volume_rows = VolumeRows(found, originals)
        volume_rows.add_root()
        for name in ("2019/a.jpg", b"2019/\xff.jpg", "b.jpg"):
            volume_rows.add_whole_photo(name)
        for digest in digests(found):
            derived_files.write(found.derived_folder, digest, PICTURE)
        yield found


@pytest.fixture
def snapshot(library: Library, tmp_path: Path) -> Path:
    return backup(library, BackupRequest(tmp_path / "backups", initialise=True)).snapshot.path


def digests(library: Library) -> list[bytes]:
    with library.database.read() as connection:
        return list(connection.execute(select(asset.c.digest).order_by(asset.c.id)).scalars())


def not_derived(folder: Path) -> int:
    with library_in(folder) as found, found.database.read() as connection:
        return connection.execute(select(func.count()).select_from(asset).where(~asset.c.derived)).scalar_one()


def rows(path: Path) -> list[str]:
    """Return everything in a database file, except the marks for existing previews."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        connection.execute("UPDATE asset SET derived = 0")
        names = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [f"{name} {row!r}" for name in sorted(names) for row in connection.execute(f'SELECT * FROM "{name}"')]


def test_a_restored_library_contains_every_row_and_opens(library: Library, snapshot: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "place"
    done = restore(Config(), RestoreRequest(snapshot, target))
    assert rows(target / "photoindex.db") == rows(library.database.path)
    assert (done.library, done.replaced, done.counts["photos"]) == (target, None, 3)
    with library_in(target) as found, found.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(photo)).scalar_one() == 3
    assert [path.name for path in target.parent.iterdir()] == ["place"]


def test_an_empty_folder_may_become_the_library(snapshot: Path, tmp_path: Path) -> None:
    target = tmp_path / "empty"
    target.mkdir()
    restore(Config(), RestoreRequest(snapshot, target))
    assert (target / "photoindex.db").exists()


def test_missing_previews_are_marked_for_the_next_scan(snapshot: Path, tmp_path: Path) -> None:
    target = tmp_path / "new"
    assert restore(Config(), RestoreRequest(snapshot, target)).lost_derived == 3
    assert not_derived(target) == 3


def test_previews_kept_elsewhere_are_found_again_one_by_one(library: Library, snapshot: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "previews"
    derived_files.write(elsewhere, digests(library)[1], PICTURE)
    done = restore(Config(derived_path=elsewhere), RestoreRequest(snapshot, tmp_path / "new"))
    assert done.lost_derived == 2
    with library_in(tmp_path / "new") as found, found.database.read() as connection:
        assert list(connection.execute(select(asset.c.derived).order_by(asset.c.id)).scalars()) == [False, True, False]


def test_nothing_is_marked_while_the_folder_of_the_previews_is_unavailable(snapshot: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    config = Config(derived_path=tmp_path / "not mounted")
    assert restore(config, RestoreRequest(snapshot, tmp_path / "new"), events.append).lost_derived == 0
    assert not_derived(tmp_path / "new") == 0
    assert any(
        "not mounted" in event.message for event in events if isinstance(event, Notice) and event.level == "warning"
    )


def test_an_existing_library_is_never_overwritten(library: Library, snapshot: Path) -> None:
    before = rows(library.database.path)
    with pytest.raises(UsageError, match=r"there is a library in .*--replace"):
        restore(Config(), RestoreRequest(snapshot, library.folder))
    assert rows(library.database.path) == before


def test_a_replaced_library_is_moved_aside_intact_and_its_previews_are_shared(library: Library, snapshot: Path) -> None:
    with library.database.write() as connection:
        connection.execute(photo.update().values(title="after the snapshot"))
    library.database.close()

    done = restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))

    assert done.replaced is not None
    assert done.replaced.name.startswith("library.replaced-2")
    assert done.lost_derived == 0
    for folder, title in ((library.folder, None), (done.replaced, "after the snapshot")):
        with library_in(folder) as found, found.database.read() as connection:
            assert set(connection.execute(select(photo.c.title)).scalars()) == {title}
            for digest in digests(found):
                assert derived_files.exist(found.derived_folder, digest)
    assert not (done.replaced / HOLDER_NAME).exists()


def test_a_folder_with_other_things_is_refused_even_with_replace(snapshot: Path, tmp_path: Path) -> None:
    precious = tmp_path / "documents"
    precious.mkdir()
    (precious / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty and is not a library"):
        restore(Config(), RestoreRequest(snapshot, precious, replace=True))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        restore(Config(), RestoreRequest(snapshot, tmp_path / "file", replace=True))
    assert [path.name for path in precious.iterdir()] == ["thesis.tex"]


def test_a_library_that_a_command_is_changing_is_not_replaced(library: Library, snapshot: Path) -> None:
    with exclusive(library.folder, "scan"), pytest.raises(LibraryLocked, match="`scan`"):
        restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))
    assert library.database.path.exists()


@pytest.mark.parametrize("name", ["photoindex.db.zst", "journal.jsonl.zst"])
def test_a_damaged_snapshot_changes_nothing(library: Library, snapshot: Path, tmp_path: Path, name: str) -> None:
    data = bytearray((snapshot / name).read_bytes())
    data[-1] ^= 1
    (snapshot / name).write_bytes(data)
    before = set(tmp_path.iterdir())
    for target, replace in ((library.folder, True), (tmp_path / "new", False)):
        with pytest.raises(SnapshotDamaged, match=name):
            restore(Config(), RestoreRequest(snapshot, target, replace=replace))
    assert set(tmp_path.iterdir()) == before
    assert library.database.path.exists()


def test_a_full_disk_is_reported(snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=10))
    with pytest.raises(StorageFull, match="restoring needs"):
        restore(Config(), RestoreRequest(snapshot, tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_snapshot_of_a_newer_schema_is_refused_with_the_version_to_install(snapshot: Path, tmp_path: Path) -> None:
    manifest = json.loads((snapshot / "manifest.json").read_text())
    del manifest["blake3"]
    manifest |= {"revision": "0099", "program_version": "7.8.9"}
    body = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    (snapshot / "manifest.json").write_text(json.dumps({**manifest, "blake3": blake3(body.encode()).hexdigest()}))
    with pytest.raises(SchemaTooNew, match=r"schema 0099.*install photoindex 7\.8\.9 or later"):
        restore(Config(), RestoreRequest(snapshot, tmp_path / "new"))


def test_the_settings_of_the_snapshot_are_restored_under_another_name(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("[backup]\nkeep = 3\n")
    monkeypatch.setenv("PHOTOINDEX_CONFIG", str(settings))
    snapshot = backup(library, BackupRequest(tmp_path / "backups", initialise=True)).snapshot.path
    settings.write_text("[backup]\nkeep = 5\n")
    done = restore(Config(), RestoreRequest(snapshot, tmp_path / "new"))
    assert done.config == tmp_path / "new" / "config.from-backup.toml"
    assert done.config.read_text() == "[backup]\nkeep = 3\n"
    assert settings.read_text() == "[backup]\nkeep = 5\n"


def test_restoring_with_a_configured_database_url_is_refused(snapshot: Path, tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path}/elsewhere.db")
    with pytest.raises(UsageError, match="DATABASE_URL"):
        restore(config, RestoreRequest(snapshot, tmp_path / "new"))


def test_a_linked_folder_is_restored_on_the_disk_it_points_to(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "library")
    restore(Config(), RestoreRequest(snapshot, tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "library" / "photoindex.db").exists()


KILLED = """
import os, pathlib, signal, sys
from photoindex.config.schema import Config
from photoindex.progress import PhaseFinished
from photoindex.library.backup.restore import RestoreRequest, restore

def die(event):
    if isinstance(event, PhaseFinished) and event.phase == "checking the database":
        os.kill(os.getpid(), signal.SIGKILL)

restore(Config(), RestoreRequest(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), replace=True), die)
"""


def test_a_killed_restore_leaves_the_existing_library(library: Library, snapshot: Path, tmp_path: Path) -> None:
    before = rows(library.database.path)
    program = [sys.executable, "-c", KILLED, str(snapshot), str(library.folder)]
    assert subprocess.run(program, check=False, timeout=60).returncode == -signal.SIGKILL
    assert rows(library.database.path) == before

    left = list(tmp_path.glob(".library.restoring-*"))
    assert len(left) == 1
    long_ago = time.time() - 7200
    for path in (*left[0].iterdir(), left[0]):
        os.utime(path, (long_ago, long_ago))
    library.database.close()
    restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))
    assert not list(tmp_path.glob(".library.restoring-*"))


def test_contents_undone_after_a_restore_are_marked_as_without_previews(library: Library, tmp_path: Path) -> None:
    from photoindex.library.maintenance.journal import undo
    from photoindex.store.journal import journal

    with library.database.write() as connection:
        connection.execute(text("DELETE FROM file WHERE asset_id = 1"))
        connection.execute(text("UPDATE photo SET primary_asset_id = NULL WHERE id = 1"))
        gone = journal.rows_as_changes(connection, asset, select(asset.c.id).where(asset.c.id == 1))
        entry = journal.record(connection, command="prune", summary="x", changes=gone)
        connection.execute(asset.delete().where(asset.c.id == 1))
    snapshot = backup(library, BackupRequest(tmp_path / "backups", initialise=True)).snapshot.path
    restore(Config(), RestoreRequest(snapshot, tmp_path / "new"))
    with library_in(tmp_path / "new") as found:
        undo(found, entry)
    assert not_derived(tmp_path / "new") == 3


KILLED_WHILE_SWAPPING = """
import os, pathlib, signal, sys
from photoindex.config.schema import Config
from photoindex.library.backup import restore as module

left = [int(sys.argv[3])]

def counted(call):
    def counting(*arguments):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return call(*arguments)
    return counting

pathlib.Path.rename = counted(pathlib.Path.rename)
module.exchange = counted(module.exchange) if sys.argv[4] == "exchange" else lambda *_: False
module.restore(
    Config(), module.RestoreRequest(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), replace=True)
)
"""


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_restore_killed_at_any_rename_leaves_a_library_that_opens(
    library: Library, snapshot: Path, tmp_path: Path, way: str
) -> None:
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE photo_text SET title = 'after the snapshot'")
    kept, found = library.folder.with_name("kept"), set()
    library.database.close()
    shutil.copytree(library.folder, kept)
    for calls in range(20):
        for path in tmp_path.iterdir():
            if ".replaced-" in path.name or ".restoring-" in path.name or path == library.folder:
                shutil.rmtree(path)
        shutil.copytree(kept, library.folder)
        program = [sys.executable, "-c", KILLED_WHILE_SWAPPING, str(snapshot), str(library.folder), str(calls), way]
        ended = subprocess.run(program, check=False, timeout=60, capture_output=True)
        with open_library(load_config({"library": library.folder})) as opened, opened.database.read() as connection:
            found.add(connection.exec_driver_sql("SELECT title FROM photo_text").scalars().first())
        assert len(list(tmp_path.glob("library.replaced-*"))) <= 1
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert calls > 2
    assert found == {"", "after the snapshot"}
    assert not (library.folder / ".not-in-place").exists()


def test_a_library_that_an_old_version_left_aside_is_named_with_the_command_that_brings_it_back(
    library: Library, tmp_path: Path
) -> None:
    library.database.close()
    aside = tmp_path / "library.replaced-20260101T000000Z"
    library.folder.rename(aside)
    with (
        pytest.raises(LibraryNotFound, match=f"mv {aside} {library.folder}"),
        open_library(load_config({"library": library.folder})),
    ):
        pass


def test_an_old_library_is_never_removed_even_if_its_own_restore_was_killed_after_the_swap(
    library: Library, snapshot: Path, tmp_path: Path
) -> None:
    library.database.close()
    (library.folder / ".not-in-place").touch()
    restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))
    (replaced,) = tmp_path.glob("library.replaced-*")
    assert not (replaced / ".not-in-place").exists()
    (replaced / ".not-in-place").touch()
    long_ago = time.time() - 7200
    for path in (*replaced.iterdir(), replaced):
        os.utime(path, (long_ago, long_ago))
    restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))
    assert replaced.exists()
    assert len(list(tmp_path.glob("library.replaced-*"))) == 2


def test_a_mount_point_is_refused_before_anything_is_written(
    library: Library, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == library.folder)
    with pytest.raises(UsageError, match="is a mount point"):
        restore(Config(), RestoreRequest(snapshot, library.folder, replace=True))
    assert not list(tmp_path.glob("*replaced*")) + list(tmp_path.glob(".*restoring*"))
