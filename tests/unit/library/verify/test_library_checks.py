"""`verify` and `verify --repair`: each kind of damage is found, named and put right."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from photoindex.library.index.maintain import rebuild
from photoindex.library.verify.library_checks import CHECKS, verify_library
from photoindex.library.verify.problems import Problem
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.spaces import SpaceRows
from tests.tiny_model import MODEL_ID, install_tiny
from tests.vectors import unit_vectors


@pytest.fixture
def runner(library_folder: Path, tmp_path: Path) -> LibraryRunner:
    """A library of three scanned photos."""
    write_photos(tmp_path / "photos", 3)
    runner = LibraryRunner(library_folder)
    runner.scan(tmp_path / "photos")
    return runner


def verify(runner: LibraryRunner, *, repair: bool = False) -> list[Problem]:
    with runner.open() as library:
        return list(verify_library(library, repair=repair))


def change(runner: LibraryRunner, statement: str) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql(statement)


def previews(runner: LibraryRunner) -> list[Path]:
    return sorted((runner.folder / "derived").glob("???/*.jpg"))


def assert_found_and_repaired(runner: LibraryRunner, check: str, *, scans: bool = False) -> None:
    """The check alone finds something, a repair puts it right, and after that nothing is found."""
    assert {one.check for one in verify(runner)} == {check}
    assert all(one.remedy for one in verify(runner))
    assert {(one.check, one.repaired) for one in verify(runner, repair=True)} == {(check, True)}
    if scans:
        runner.scan()
    assert verify(runner) == []


def test_a_sound_library_has_no_findings(runner: LibraryRunner) -> None:
    assert verify(runner) == []
    assert verify(runner, repair=True) == []


@pytest.mark.parametrize("size", [None, 0, 100], ids=["missing", "empty", "cut"])
def test_an_unsound_preview_is_made_again_by_the_next_scan(
    runner: LibraryRunner, size: int | None, request: pytest.FixtureRequest
) -> None:
    broken, whole = previews(runner)[0], previews(runner)[0].read_bytes()
    if size is None:
        broken.unlink()
    else:
        os.truncate(broken, size)
    (found,) = verify(runner)
    assert (found.problem, found.count, found.examples) == (
        f"1 preview or thumbnail is {request.node.callspec.id}",
        1,
        (os.fsencode(broken),),
    )
    assert_found_and_repaired(runner, "previews", scans=True)
    assert broken.read_bytes() == whole


def test_previews_of_no_content_and_unfinished_files_go_once_they_are_old(runner: LibraryRunner) -> None:
    stray = runner.folder / "derived" / "abc" / f"abc{'0' * 61}.preview.jpg"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    unfinished = runner.folder / ".lock.json.1.unfinished"
    unfinished.write_bytes(b"half")
    assert verify(runner) == [], "another command may be writing them"
    old = time.time() - 2 * 86_400
    for path in (stray, unfinished):
        os.utime(path, (old, old))
    found = verify(runner)
    assert {(one.check, one.harmful) for one in found} == {("strays", False), ("temporary files", False)}
    assert all(one.repaired for one in verify(runner, repair=True))
    assert not stray.exists()
    assert not unfinished.exists()
    assert verify(runner) == []


def test_a_full_text_index_that_differs_from_its_table_is_rebuilt(runner: LibraryRunner) -> None:
    change(runner, "INSERT INTO photo_text_fts (photo_text_fts) VALUES ('delete-all')")
    assert_found_and_repaired(runner, "full text")
    with runner.open() as library, library.database.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM photo_text_fts WHERE photo_text_fts MATCH 'img'")
        assert found.scalar_one() == 3


def test_a_trigger_of_the_full_text_index_that_is_gone_comes_back(runner: LibraryRunner) -> None:
    change(runner, "DROP TRIGGER photo_text_ai")
    assert_found_and_repaired(runner, "full text")


def test_tasks_of_nothing_are_removed_and_no_others(runner: LibraryRunner) -> None:
    before = runner.value("SELECT count(*) FROM task")
    change(
        runner,
        "INSERT INTO task (subject_kind, subject_id, stage, variant_id, state, attempts, priority, updated_at) VALUES "
        "('asset', 999, 'embed', 1, 'pending', 0, 0, 0), ('file', 999, 'ingest', 1, 'done', 0, 0, 0)",
    )
    assert_found_and_repaired(runner, "tasks")
    assert runner.value("SELECT count(*) FROM task") == before


@pytest.mark.parametrize("also", ["SELECT 1", "DELETE FROM task WHERE subject_id = 2"], ids=["done", "no task"])
def test_a_file_that_lost_its_content_is_read_by_the_next_scan(runner: LibraryRunner, also: str) -> None:
    change(runner, "UPDATE file SET asset_id = NULL WHERE id = 2")
    change(runner, also)
    assert_found_and_repaired(runner, "files", scans=True)
    assert runner.value("SELECT count(*) FROM file WHERE asset_id IS NULL") == 0


def test_a_row_that_points_at_nothing_needs_a_snapshot(runner: LibraryRunner) -> None:
    with runner.open() as library:
        connection = library.database.raw_connection()
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE file SET folder_id = 999 WHERE id = 1")
        connection.commit()
        connection.close()
    (found,) = [one for one in verify(runner, repair=True) if one.check == "links"]
    assert found.problem == "1 row of file without the row of folder"
    assert (found.repaired, "photoindex restore" in found.remedy) == (False, True)


def test_a_damaged_page_is_found_without_an_end_of_the_checks(runner: LibraryRunner) -> None:
    path = runner.folder / "photoindex.db"
    root = runner.value("SELECT rootpage FROM sqlite_master WHERE name = 'journal_change'")
    pages = bytearray(path.read_bytes())
    pages[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    path.write_bytes(pages)
    found = verify(runner)
    assert "database" in {one.check for one in found}
    assert all(one.harmful and "photoindex restore" in one.remedy + one.problem for one in found)
    assert all(one.problem.isprintable() and "***" not in one.problem for one in found), "each finding is a line"


def test_damaged_indices_are_rebuilt_and_those_of_dropped_spaces_removed(runner: LibraryRunner, tmp_path: Path) -> None:
    with runner.open() as library:
        space = SpaceRows(library, tmp_path / "originals")
        space.add(unit_vectors(40))
        list(rebuild(library))
        (space.folder / space.generation / "sample.f16").write_bytes(b"")
        (library.indices_folder / "77").mkdir()
        found = [one for one in verify_library(library) if one.check == "indices"]
        assert [one.harmful for one in found] == [True, False]
        assert [one.repaired for one in verify_library(library, repair=True) if one.check == "indices"] == [True, True]
        assert [one for one in verify_library(library) if one.check == "indices"] == []


def test_a_model_that_differs_from_its_lock_is_named_with_the_way_to_install_it(runner: LibraryRunner) -> None:
    install_tiny(runner.folder)
    assert verify(runner) == []
    changed = next((runner.folder / "models" / MODEL_ID).rglob("*.onnx"))
    changed.write_bytes(changed.read_bytes()[:-1])
    (found,) = verify(runner, repair=True)
    assert (found.check, found.repaired, found.examples) == ("models", False, (os.fsencode(changed),))
    assert found.remedy.startswith("photoindex models ")


def test_derived_files_on_a_disk_that_is_away_are_one_finding_and_stay_as_they_are(
    library_folder: Path, tmp_path: Path
) -> None:
    write_photos(tmp_path / "photos", 3)
    runner = LibraryRunner(library_folder, {"derived_path": tmp_path / "elsewhere"})
    runner.scan(tmp_path / "photos")
    (tmp_path / "elsewhere").rename(tmp_path / "unplugged")
    (found,) = verify(runner, repair=True)
    assert (found.check, found.repaired, found.remedy) == ("previews", False, "mount its disk")
    assert runner.value("SELECT count(*) FROM asset WHERE derived") == 3


def test_the_checks_end_between_two_of_them(runner: LibraryRunner) -> None:
    previews(runner)[0].unlink()
    with runner.open() as library:
        assert list(verify_library(library, stop=lambda: True)) == []
    assert len({name for name, _ in CHECKS}) == len(CHECKS)
