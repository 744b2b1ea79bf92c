"""`prune`: what is removed, what is kept, and that an undo restores everything."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from photoindex.errors import LibraryLocked, NothingFound
from photoindex.library.handle import Library
from photoindex.library.index import maintain
from photoindex.library.index.status import index_status
from photoindex.library.lock import exclusive
from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.prune import (
    PruneRequest,
    files_to_prune,
    plan_prune,
    prune,
    prune_derived,
)
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import refresh
from photoindex.progress import Event, Notice, ignore_events
from photoindex.store.scan.forget import ForgetPlan
from photoindex.store.schema import tables
from photoindex.store.tasks import stale
from tests.rows import VolumeRows, library_in
from tests.spaces import SpaceRows
from tests.vectors import unit_vectors

TABLES = ("task", "file", "photo_text", "asset", "photo", "folder", "volume", "root", "variant")
DAY = 86_400.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> VolumeRows:
    return VolumeRows(library, tmp_path / "originals")


def content_of(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the library's data, as SQLite stores them."""
    connection = library.database.raw_connection()
    try:
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in TABLES}
    finally:
        connection.close()


def found_by_word(library: Library, word: str) -> list[int]:
    connection: sqlite3.Connection = library.database.raw_connection()
    try:
        sql = "SELECT rowid FROM photo_text_fts WHERE photo_text_fts MATCH ? ORDER BY rowid"
        return [row[0] for row in connection.execute(sql, (word,))]
    finally:
        connection.close()


def add_text(library: Library, photo_id: int, **texts: str) -> None:
    with library.database.write() as connection:
        for column, value in texts.items():
            connection.exec_driver_sql(f"UPDATE photo_text SET {column} = ? WHERE photo_id = ?", (value, photo_id))


def test_a_missing_file_is_removed_with_its_photo_and_undo_restores_everything(
    library: Library, volume_rows: VolumeRows
) -> None:
    kept = volume_rows.add_whole_photo("kept.jpg")
    gone = volume_rows.add_whole_photo(
        "2019/gone.jpg",
        state="missing",
        asset_facts={"exif": {"iso": 100}, "xmp": {"title": "Lighthouse", "keywords": ["sea"]}},
    )
    volume_rows.add_asset(gone, role="superseded")
    volume_rows.add_task(volume_rows.asset_of(gone), "done", subject_kind="asset", stage="embed")
    resolve_everything(library)
    before = content_of(library)
    assert found_by_word(library, "lighthouse") == [gone]

    done = prune(library, PruneRequest())

    assert done.plan == ForgetPlan(files=1, photos=1, contents=2, bytes=7)
    after = content_of(library)
    assert [row[0] for row in after["photo"]] == [kept]
    assert {name: len(rows) for name, rows in after.items() if name in ("task", "file", "asset", "photo_text")} == {
        "task": 1, "file": 1, "asset": 1, "photo_text": 1,
    }  # fmt: skip
    assert found_by_word(library, "lighthouse") == []

    assert done.entry_id is not None
    undo(library, done.entry_id)
    # Vectors are not kept for an undo: a restored content is embedded again.
    without_models = [row for row in before["task"] if "embed" not in row]
    assert len(without_models) == len(before["task"]) - 1
    assert content_of(library) == before | {"asset": content_of(library)["asset"], "task": without_models}
    assert [row[0] for row in content_of(library)["asset"]] == [row[0] for row in before["asset"]]
    assert found_by_word(library, "lighthouse") == [gone]


def resolve_everything(library: Library) -> None:
    """Bring the rows into the state that a scan leaves."""
    with library.database.session() as session:
        with session.write() as connection:
            stale.resolve_all_later(connection, select(tables.photo.c.id))
        refresh(library, session, Roots(library.database), ignore_events)


def test_a_photo_with_another_file_stays_and_is_no_longer_found_by_the_removed_name(
    library: Library, volume_rows: VolumeRows
) -> None:
    volume_rows.add_root()
    photo_id = volume_rows.add_photo()
    volume_rows.add_file("summer/beach.jpg", asset_id=volume_rows.asset_of(photo_id))
    copy = volume_rows.add_file(
        "backup/zanzibar.jpg", asset_id=volume_rows.asset_of(photo_id), state="missing", create=False
    )
    volume_rows.add_task(copy)
    resolve_everything(library)
    before = content_of(library)

    done = prune(library, PruneRequest())

    assert (done.plan.files, done.plan.photos) == (1, 0)
    assert [row[0] for row in content_of(library)["photo"]] == [photo_id]
    assert (found_by_word(library, "beach"), found_by_word(library, "zanzibar")) == ([photo_id], [])
    assert done.entry_id is not None
    undo(library, done.entry_id)
    assert content_of(library) == before
    assert found_by_word(library, "zanzibar") == [photo_id]


def test_present_and_excluded_files_are_never_removed_even_on_an_unmounted_volume(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    away = VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    away.add_whole_photo("a.jpg")
    photo_id = volume_rows.add_photo()
    volume_rows.add_file("b.jpg", asset_id=volume_rows.asset_of(photo_id), state="excluded")
    before = content_of(library)
    assert prune(library, PruneRequest()).entry_id is None
    assert prune(library, PruneRequest(volumes=("nas",))).entry_id is None
    assert content_of(library) == before


def test_only_files_of_the_given_path_volume_or_age_are_removed(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    away = VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    for number, name in enumerate(("2019/a.jpg", "2019/b.jpg", "2020/c.jpg")):
        photo_id = volume_rows.add_photo()
        volume_rows.add_file(
            name, create=False, asset_id=volume_rows.asset_of(photo_id), state="missing",
            missing_since=time.time() - number * 30 * DAY,
        )  # fmt: skip
    away.add_whole_photo("d.jpg", state="missing")

    def chosen(**parts: object) -> list[str]:
        return [os.path.basename(os.fsdecode(one.path)) for one in files_to_prune(library, PruneRequest(**parts))]  # type: ignore[arg-type]

    originals = os.fsencode(tmp_path / "originals")
    assert chosen() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert chosen(paths=(originals + b"/2019",)) == ["a.jpg", "b.jpg"]
    assert chosen(paths=(originals + b"/2019/b.jpg", originals + b"/2020")) == ["b.jpg", "c.jpg"]
    assert chosen(volumes=("nas",)) == chosen(volumes=(str(away.volume_id),)) == ["d.jpg"]
    assert chosen(volumes=(str(tmp_path / "nas"),)) == ["d.jpg"]
    assert chosen(older_than_seconds=29 * DAY) == ["b.jpg", "c.jpg"]
    assert chosen(paths=(originals + b"/2019",), older_than_seconds=29 * DAY) == ["b.jpg"]
    assert prune(library, PruneRequest(paths=(originals + b"/2019/b.jpg",))).plan.photos == 1
    assert chosen() == ["a.jpg", "c.jpg", "d.jpg"]


def test_an_unknown_path_or_volume_is_refused(library: Library, volume_rows: VolumeRows) -> None:
    with pytest.raises(NothingFound, match="nowhere"):
        plan_prune(library, PruneRequest(paths=(b"/nowhere",)))
    with pytest.raises(NothingFound, match="no volume 'nas'; volumes: 1 disk"):
        plan_prune(library, PruneRequest(volumes=("nas",)))


def test_a_photo_without_file_rows_is_removed_only_without_a_filter(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_photo()
    assert plan_prune(library, PruneRequest(volumes=("disk",))).photos == 0
    assert plan_prune(library, PruneRequest()) == ForgetPlan(files=0, photos=1, contents=1, bytes=0)


def test_planning_changes_nothing(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_whole_photo("a.jpg", state="missing")
    before = content_of(library)
    assert plan_prune(library, PruneRequest()).files == 1
    assert content_of(library) == before


def test_a_name_that_is_not_utf_8_is_restored_byte_for_byte(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_whole_photo(b"caf\xe9/\xff.jpg", state="missing")
    before = content_of(library)
    done = prune(library, PruneRequest())
    assert done.entry_id is not None
    undo(library, done.entry_id)
    assert {**content_of(library), "asset": None} == {**before, "asset": None}


def test_a_thousand_files_are_removed_in_one_entry(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_whole_photo("first.jpg", state="missing")
    with library.database.write() as connection:
        columns = ", ".join(
            name
            for name in (row[1] for row in connection.exec_driver_sql("PRAGMA table_info(file)"))
            if name not in ("id", "name")
        )
        connection.exec_driver_sql(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1500) "
            f"INSERT INTO file (name, {columns}) SELECT 'f' || x, {columns} FROM n, file"
        )
    before = content_of(library)
    done = prune(library, PruneRequest())
    assert (done.plan.files, done.plan.photos) == (1501, 1)
    assert content_of(library)["file"] == []
    assert done.entry_id is not None
    undo(library, done.entry_id)
    assert content_of(library)["file"] == before["file"]
    assert [row[0] for row in content_of(library)["photo"]] == [photo_id]


def test_new_photos_after_a_prune_do_not_prevent_its_undo(library: Library, volume_rows: VolumeRows) -> None:
    old = volume_rows.add_whole_photo("old.jpg", state="missing")
    done = prune(library, PruneRequest())
    new = volume_rows.add_whole_photo("new.jpg", asset_digest=b"n" * 32)
    assert new != old
    assert done.entry_id is not None
    undo(library, done.entry_id)
    assert [row[0] for row in content_of(library)["photo"]] == sorted([old, new])


def test_prune_waits_for_no_other_command(library: Library, volume_rows: VolumeRows) -> None:
    with exclusive(library.folder, "photoindex scan"), pytest.raises(LibraryLocked, match="photoindex scan"):
        prune(library, PruneRequest())


def derived_files(library: Library, digest: bytes) -> list[Path]:
    folder = library.derived_folder / digest.hex()[:3]
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{digest.hex()}.{what}.jpg" for what in ("preview", "thumb")]
    for path in files:
        path.write_bytes(b"12345")
    return files


def test_previews_are_removed_when_neither_the_library_nor_an_undoable_entry_needs_them(
    library: Library, volume_rows: VolumeRows
) -> None:
    volume_rows.add_whole_photo("kept.jpg", asset_digest=b"k" * 32)
    volume_rows.add_whole_photo("gone.jpg", asset_digest=b"g" * 32, state="missing")
    kept, undoable, stray = (derived_files(library, letter * 32) for letter in (b"k", b"g", b"s"))
    leftover = stray[0].with_name(f"{stray[0].name}.4711.tmp")
    leftover.write_bytes(b"1")
    other = library.derived_folder / "README.txt"
    other.write_bytes(b"mine")
    beside = kept[0].with_name("notes.jpg")
    beside.write_bytes(b"mine")
    done = prune(library, PruneRequest())

    assert prune_derived(library, dry_run=True) == prune_derived(library)
    assert [path.exists() for path in (*kept, *undoable, *stray, leftover, other, beside)] == [
        True, True, True, True, False, False, False, True, True,
    ]  # fmt: skip
    assert prune_derived(library).files == 0

    assert done.entry_id is not None
    undo(library, done.entry_id)
    assert prune_derived(library).files == 0


def test_pruning_previews_of_an_empty_library_works(library: Library) -> None:
    assert prune_derived(library).files == 0


@pytest.fixture
def space_with_missing_photos(
    library: Library, volume_rows: VolumeRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SpaceRows:
    """A space whose index holds 40 vectors, all of one photo whose only file is missing."""
    monkeypatch.setattr(maintain, "DUE_LEAST", 10)
    space = SpaceRows(library, tmp_path / "originals")
    ids = space.add(unit_vectors(40))
    list(maintain.rebuild(library))
    with library.database.read() as connection:
        asset_id = connection.execute(
            select(tables.vector.c.asset_id).where(tables.vector.c.id == int(ids[0]))
        ).scalar()
    volume_rows.add_task(
        volume_rows.add_file("gone.jpg", asset_id=asset_id, state="missing", create=False, missing_since=1.0)
    )
    return space


def test_an_index_is_rebuilt_after_many_vectors_were_removed(
    library: Library, space_with_missing_photos: SpaceRows
) -> None:
    prune(library, PruneRequest())
    (status,) = index_status(library)
    assert (status.vectors, status.merged, status.gone) == (0, 0, 0)


def test_an_index_that_cannot_be_written_does_not_stop_prune(
    library: Library, space_with_missing_photos: SpaceRows
) -> None:
    folder = space_with_missing_photos.folder
    shutil.rmtree(folder)
    folder.write_bytes(b"no folder")
    events: list[Event] = []
    assert prune(library, PruneRequest(), events.append).plan.photos == 1
    (notice,) = [one for one in events if isinstance(one, Notice)]
    assert "the index of space 'clip' could not be updated" in notice.message
