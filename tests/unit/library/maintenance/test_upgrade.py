"""Opening an older library: a snapshot first, under the lock, one command at a time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from photoindex.errors import LibraryLocked
from photoindex.library.backup.restore import RestoreRequest, restore
from photoindex.library.backup.snapshots import list_snapshots, verify
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.maintenance.upgrade import bring_library_up_to_date
from photoindex.store.engine.database import Database
from photoindex.store.schema import migrate
from tests.rows import VolumeRows, library_in

NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "HEAD"

def upgrade():
    op.add_column("photo", sa.Column("mood", sa.Text(), nullable=True))
""".replace("HEAD", migrate.HEAD)


@pytest.fixture
def history(tmp_path: Path) -> migrate.History:
    """The migrations of a made-up next version of the program."""
    target = tmp_path / "migrations"
    shutil.copytree(migrate.SHIPPED.folder, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "versions" / "9999_made_up.py").write_text(NEXT)
    return migrate.History(target, (*migrate.REVISIONS, "9999"))


def fill(library: Library, originals: Path) -> None:
    originals.mkdir()
    volume_rows = VolumeRows(library, originals)
    volume_rows.add_root()
    volume_rows.add_whole_photo("a.jpg", title="At the sea")


def titles_and_moods(library: Library) -> list[tuple[str, None]]:
    with library.database.read() as connection:
        return [(row.title, row.mood) for row in connection.execute(text("SELECT title, mood FROM photo"))]


def test_an_older_library_is_backed_up_and_upgraded_with_its_rows(tmp_path: Path, history: migrate.History) -> None:
    with library_in(tmp_path / "library") as library:
        fill(library, tmp_path / "originals")
        bring_library_up_to_date(library, history=history)
        assert titles_and_moods(library) == [("At the sea", None)]
    kept = list(list_snapshots(tmp_path / "library" / "backups"))
    assert len(kept) == 1
    checked = verify(kept[0].path)
    assert checked.manifest is not None
    assert (checked.manifest.revision, checked.manifest.counts["photos"]) == (migrate.HEAD, 1)


def test_nothing_is_backed_up_without_an_upgrade(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        bring_library_up_to_date(library)
    assert not (tmp_path / "library" / "backups").exists()


def test_a_snapshot_of_an_older_schema_is_upgraded_on_first_opening(tmp_path: Path, history: migrate.History) -> None:
    with library_in(tmp_path / "library") as library:
        fill(library, tmp_path / "originals")
        bring_library_up_to_date(library, history=history)
    snapshot = next(list_snapshots(tmp_path / "library" / "backups")).path
    restore(library.config, RestoreRequest(snapshot, tmp_path / "restored"))
    with library_in(tmp_path / "restored") as restored:
        assert migrate.current_revision(restored.database) == migrate.HEAD
        bring_library_up_to_date(restored, history=history)
        assert titles_and_moods(restored) == [("At the sea", None)]


def test_a_library_that_another_command_is_changing_is_not_upgraded(tmp_path: Path, history: migrate.History) -> None:
    with library_in(tmp_path / "library") as library, exclusive(library.folder, "scan"):
        with pytest.raises(LibraryLocked, match="`scan`"):
            bring_library_up_to_date(library, history=history)
        assert migrate.current_revision(library.database) == migrate.HEAD


def test_a_library_at_the_newest_schema_opens_while_another_command_changes_it(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with library_in(folder), exclusive(folder, "scan"), library_in(folder) as second:
        assert migrate.current_revision(second.database) == migrate.HEAD


def test_several_concurrent_first_commands_create_one_library(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from photoindex.app import open_library\n"
        "from photoindex.config.schema import Config\n"
        "sys.stdin.readline()\n"
        "with open_library(Config(library=pathlib.Path(sys.argv[1])), create=True): pass\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "library")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]
    assert [process.returncode for process in processes] == [0, 0, 0]
    with library_in(tmp_path / "library") as library, library.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM library")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM schema_history")).scalar_one() == len(migrate.REVISIONS)


def test_a_library_of_the_first_version_reads_its_sidecars_at_the_next_scan_and_no_photo(tmp_path: Path) -> None:
    first = migrate.History(migrate.SHIPPED.folder, ("0001",))
    folder = tmp_path / "library"
    folder.mkdir()
    old = Database(folder / "photoindex.db")
    migrate.bring_up_to_date(old, history=first)
    with old.write() as connection:
        connection.execute(text("INSERT INTO variant VALUES (1, 'ingest', '{}', 1.0)"))
        connection.execute(text("INSERT INTO volume VALUES (1, 'x', 'disk', '/', 'ext4', 1.0)"))
        connection.execute(text("INSERT INTO folder VALUES (1, 1, 'photos')"))
        names = {"a.jpg": 1, "a.jpg.XMP": 0, "b.json": 0, "notes.txt": 0}
        for number, (name, media) in enumerate(names.items(), start=1):
            connection.execute(
                text("INSERT INTO file VALUES (:id, 1, :name, 1, 1, 'present', :media, NULL, NULL, 1.0, NULL)"),
                {"id": number, "name": name, "media": media},
            )
            connection.execute(
                text(
                    "INSERT INTO task (subject_kind, subject_id, stage, variant_id, state, attempts, priority, updated_at) "
                    "VALUES ('file', :id, 'ingest', 1, 'done', 1, 0, 1.0)"
                ),
                {"id": number},
            )
    migrate.bring_up_to_date(old)
    with old.read() as connection:
        waiting = connection.execute(text("SELECT subject_id FROM task WHERE state = 'pending'")).scalars().all()
        assert sorted(waiting) == [2, 3]
        assert connection.execute(text("SELECT unrelated FROM folder")).scalar_one() == 1
