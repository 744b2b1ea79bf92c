"""Filtering tasks, and queueing them again: `tasks`, `retry`, `redo`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.retry import dismiss, retry
from photoindex.library.maintenance.tasks import TaskQuery, tasks
from photoindex.store.journal import journal
from photoindex.store.schema.tables import asset, file, task
from photoindex.store.tasks import admin
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> VolumeRows:
    return VolumeRows(library, tmp_path / "originals")


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


def names(library: Library, query: TaskQuery, limit: int | None = None) -> list[str]:
    return [os.path.basename(os.fsdecode(one.path or b"-")) for one in tasks(library, query, limit=limit)]


def states(library: Library) -> dict[str, str]:
    return {os.path.basename(os.fsdecode(one.path or b"-")): one.label for one in tasks(library, TaskQuery())}


def add_each_state(volume_rows: VolumeRows) -> None:
    for state in ("done", "pending", "running", "failed", "quarantined"):
        error = {"error_class": "truncated", "error": "ends early"} if state in ("failed", "quarantined") else {}
        volume_rows.add_task(volume_rows.add_file(f"2019/{state}.jpg"), state, attempts=3, **error)
    dismissed = volume_rows.add_file("2020/dismissed.jpg")
    volume_rows.add_task(dismissed, "quarantined", error_class="bomb", error="too large", dismissed_at=5.0)


def test_without_a_filter_every_task_is_listed_by_id(library: Library, volume_rows: VolumeRows) -> None:
    add_each_state(volume_rows)
    volume_rows.add_task(0, "pending", subject_kind="library", stage="cluster")
    assert names(library, TaskQuery()) == [
        "done.jpg", "pending.jpg", "running.jpg", "failed.jpg", "quarantined.jpg", "dismissed.jpg", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (TaskQuery(states=("quarantined",)), ["quarantined.jpg"]),
        (TaskQuery(states=("dismissed",)), ["dismissed.jpg"]),
        (TaskQuery(states=("failed", "quarantined")), ["failed.jpg", "quarantined.jpg"]),
        (TaskQuery(error_class="truncated"), ["failed.jpg", "quarantined.jpg"]),
        (TaskQuery(states=("quarantined",), error_class="bomb"), []),
        (TaskQuery(stage="ingest", states=("pending",)), ["pending.jpg"]),
    ],
)
def test_all_conditions_of_a_filter_must_match(
    library: Library, volume_rows: VolumeRows, query: TaskQuery, expected: list[str]
) -> None:
    add_each_state(volume_rows)
    assert names(library, query) == expected


def test_a_limit_ends_the_list_also_past_one_page(
    library: Library, volume_rows: VolumeRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.library.maintenance.tasks.PAGE_ROWS", 2)
    add_each_state(volume_rows)
    assert len(names(library, TaskQuery())) == 6
    assert names(library, TaskQuery(), limit=3) == ["done.jpg", "pending.jpg", "running.jpg"]
    assert names(library, TaskQuery(), limit=0) == []


def test_a_path_means_a_file_or_all_files_of_a_folder_and_below(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    add_each_state(volume_rows)
    volume_rows.add_task(volume_rows.add_file(b"2019/\xff/deep.jpg"))
    volume_rows.add_task(volume_rows.add_file("2019-x/other.jpg"))
    one = TaskQuery(paths=(os.fsencode(originals / "2019/done.jpg"),))
    folder = TaskQuery(paths=(os.fsencode(originals / "2019"), os.fsencode(originals / "2020/dismissed.jpg")))
    assert names(library, one) == ["done.jpg"]
    assert len(names(library, folder)) == 7
    assert "other.jpg" not in names(library, folder)
    with pytest.raises(NothingFound, match="nowhere"):
        names(library, TaskQuery(paths=(b"/nowhere",)))


def test_tasks_of_a_content_are_found_by_the_path_of_its_file(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    volume_rows.add_task(volume_rows.asset_of(photo_id), "failed", subject_kind="asset", stage="embed")
    found = list(tasks(library, TaskQuery(paths=(os.fsencode(originals / "a.jpg"),))))
    assert [(one.stage, one.path) for one in found] == [
        ("ingest", os.fsencode(originals / "a.jpg")),
        ("embed", os.fsencode(originals / "a.jpg")),
    ]


@pytest.mark.parametrize("query", [TaskQuery(stage="embd"), TaskQuery(states=("broken",))])
def test_an_unknown_stage_or_state_lists_the_known_ones(library: Library, query: TaskQuery) -> None:
    with pytest.raises(UsageError, match=r"ingest|quarantined"):
        list(tasks(library, query))


@pytest.mark.parametrize("state", ["pending", "running", "failed", "quarantined"])
def test_tasks_of_a_state_are_found_by_its_partial_index(library: Library, volume_rows: VolumeRows, state: str) -> None:
    statement = admin.condition(admin.TaskFilter(states=(state,)))
    with library.database.read() as connection:
        sql = f"EXPLAIN QUERY PLAN SELECT count(*) FROM task WHERE {statement.compile(compile_kwargs={'literal_binds': True})}"
        plan = " ".join(row[3] for row in connection.exec_driver_sql(sql))
    assert "INDEX task_" in plan


def test_retry_resets_failed_and_quarantined_tasks(library: Library, volume_rows: VolumeRows) -> None:
    add_each_state(volume_rows)
    assert retry(library, TaskQuery()) == 2
    assert states(library) == {
        "done.jpg": "done", "pending.jpg": "pending", "running.jpg": "running", "failed.jpg": "pending",
        "quarantined.jpg": "pending", "dismissed.jpg": "dismissed",
    }  # fmt: skip
    [row] = [one for one in tasks(library, TaskQuery()) if one.path and b"/quarantined" in one.path]
    assert (row.attempts, row.error_class, row.error) == (0, None, None)


def test_retry_includes_dismissed_tasks_with_a_path_or_their_state(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    add_each_state(volume_rows)
    assert retry(library, TaskQuery(paths=(os.fsencode(originals / "2020"),))) == 1
    assert states(library)["dismissed.jpg"] == "pending"
    volume_rows.add_task(volume_rows.add_file("x.jpg"), "quarantined", dismissed_at=1.0)
    assert retry(library, TaskQuery(states=("dismissed",))) == 1


def test_retry_refuses_finished_tasks_and_points_at_redo(library: Library, volume_rows: VolumeRows) -> None:
    with pytest.raises(UsageError, match="redo"):
        retry(library, TaskQuery(states=("done",)))


def test_a_dry_run_of_retry_changes_nothing(library: Library, volume_rows: VolumeRows) -> None:
    add_each_state(volume_rows)
    before = states(library)
    assert (retry(library, TaskQuery(), dry_run=True), dismiss(library, TaskQuery(), dry_run=True)) == (2, 1)
    assert states(library) == before


def test_a_dismissal_is_in_the_journal_and_can_be_undone_and_redone(library: Library, volume_rows: VolumeRows) -> None:
    add_each_state(volume_rows)
    before = list(tasks(library, TaskQuery()))
    assert dismiss(library, TaskQuery()) == 1
    assert states(library)["quarantined.jpg"] == "dismissed"
    with library.database.read() as connection:
        [entry] = journal.entries(connection)
    assert (entry.command, entry.changes, entry.summary) == ("retry --dismiss", 1, "1 quarantined file dismissed")
    undo(library, entry.id)
    assert list(tasks(library, TaskQuery())) == before


def test_dismissing_nothing_leaves_the_journal_empty(library: Library, volume_rows: VolumeRows) -> None:
    assert dismiss(library, TaskQuery()) == 0
    with library.database.read() as connection:
        assert list(journal.entries(connection)) == []


def test_only_quarantined_tasks_can_be_dismissed(library: Library, volume_rows: VolumeRows) -> None:
    add_each_state(volume_rows)
    with pytest.raises(UsageError, match="failed"):
        dismiss(library, TaskQuery(states=("failed",)))


def test_redo_queues_finished_tasks_and_their_pixels_are_decoded_again(
    library: Library, volume_rows: VolumeRows
) -> None:
    for name in ("a.jpg", "b.jpg"):
        volume_rows.add_whole_photo(name)
    volume_rows.add_whole_photo("gone.jpg", state="missing")
    add_each_state(volume_rows)
    assert redo(library, "ingest", dry_run=True) == 6
    assert redo(library, "ingest") == 6
    assert states(library)["a.jpg"] == "pending"
    assert states(library)["running.jpg"] == "running"
    assert states(library)["gone.jpg"] == "done"
    with library.database.read() as connection:
        derived = list(connection.execute(asset.select().order_by(asset.c.id)).scalars())
        flags = [row.derived for row in connection.execute(asset.select().order_by(asset.c.id))]
    assert (len(derived), flags) == (3, [False, False, True])


def test_redo_of_a_query_touches_only_the_photos_that_match(library: Library, volume_rows: VolumeRows) -> None:
    volume_rows.add_whole_photo("a.jpg", format="jpeg")
    raw = volume_rows.add_whole_photo("b.cr2", kind="raw", format="cr2")
    volume_rows.add_file("copy of b.cr2", asset_id=volume_rows.asset_of(raw))
    assert redo(library, "ingest", ["type:raw"]) == 1
    assert redo(library, "ingest", ["-type:raw", "type:image"], dry_run=True) == 1
    assert states(library) == {"a.jpg": "done", "b.cr2": "pending"}


def test_redo_of_a_model_stage_does_not_decode_pixels_again(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    with library.database.write() as connection:
        from photoindex.store.tasks.queue import ensure_variant

        ensure_variant(connection, "embed", {"model": "x"})
    volume_rows.add_task(volume_rows.asset_of(photo_id), "done", subject_kind="asset", stage="embed")
    assert redo(library, "embed") == 1
    with library.database.read() as connection:
        assert connection.execute(asset.select()).one().derived is True
        assert connection.execute(task.select().where(task.c.stage == "ingest")).one().state == "done"
        assert connection.execute(file.select()).one().state == "present"


def test_redo_works_in_batches(library: Library, volume_rows: VolumeRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.library.maintenance.redo.BATCH_TASKS", 2)
    monkeypatch.setattr("photoindex.library.maintenance.redo.BATCH_PHOTOS", 2)
    for number in range(5):
        volume_rows.add_whole_photo(f"{number}.jpg")
    assert redo(library, "ingest", ["type:image"], dry_run=True) == 5
    assert redo(library, "ingest") == 5
    assert redo(library, "ingest") == 0


def test_redo_of_an_unknown_stage_names_the_stages(library: Library) -> None:
    with pytest.raises(UsageError, match="no stage 'dreams'; stages: caption, embed, faces, hash, ingest, labels"):
        redo(library, "dreams")


def test_retry_leaves_tasks_of_files_that_are_gone(library: Library, volume_rows: VolumeRows) -> None:
    """No scan would take them, and they would be pending for ever."""
    gone = volume_rows.add_file("gone.jpg", state="missing")
    here = volume_rows.add_file("here.jpg")
    for file_id in (gone, here):
        volume_rows.add_task(file_id, "quarantined", error_class="truncated")
    assert retry(library, TaskQuery(), dry_run=True) == 1
    assert retry(library, TaskQuery()) == 1
    with library.database.read() as connection:
        states = dict(connection.execute(select(task.c.subject_id, task.c.state)).all())
    assert states == {gone: "quarantined", here: "pending"}
