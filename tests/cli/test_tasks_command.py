"""`photoindex tasks`, `retry` and `redo`: output for people and programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.stages.ingest import STAGE
from tests.command_line import CommandResult, run, run_on_terminal
from tests.rows import VolumeRows, library_in


@pytest.fixture
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = VolumeRows(library, tmp_path / "originals")
        made.add_whole_photo("done.jpg", taken_at="2019-05-01T10:00:00")
        made.add_whole_photo("later.jpg", taken_at="2020-05-01T10:00:00")
        error = {"error_class": "truncated", "error": "ends early,\tin the middle"}
        made.add_task(made.add_file(b"b\xe9d\n.jpg"), "quarantined", attempts=2, **error)
        made.add_task(made.add_file("left.jpg"), "quarantined", dismissed_at=1.0, **error)
        yield made


def states(capture: pytest.CaptureFixture[bytes]) -> list[str]:
    return [one["state"] for one in run(capture, "tasks", "--json").json]


def test_what_is_left_and_what_failed_is_listed_and_the_done_are_counted(
    volume_rows: VolumeRows, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    volume_rows.add_task(volume_rows.add_file("next.jpg"), "pending")
    ran = run(capsysbinary, "tasks")
    assert [line.split(b"\t")[-3] for line in ran.out.splitlines() if b"\t" in line] == [
        b"quarantined",
        b"dismissed",
        b"pending",
    ]
    assert ran.err == b"2 done; to list them: photoindex tasks --state done\n"
    done = run(capsysbinary, "tasks", "--json", "--state", "done")
    assert ([one["id"] for one in done.json], done.err) == ([1, 2], b"")
    every = run(capsysbinary, "tasks", "--json")
    assert ([one["id"] for one in every.json], every.err) == ([1, 2, 3, 4, 5], b"")
    assert run(capsysbinary, "tasks", "--stage", "embed").err == b""
    assert run(capsysbinary, "tasks", "--error-class", "truncated").err == b""
    only = run(capsysbinary, "tasks", "--stage", "ingest", tmp_path / "originals" / "later.jpg")
    path = tmp_path / "originals" / "later.jpg"
    assert (only.out, only.err.decode()) == (
        b"",
        f"1 done; to list them: photoindex tasks --state done --stage ingest {path}\n",
    )


def test_the_last_line_of_a_table_says_how_many_are_done(volume_rows: VolumeRows) -> None:
    lines = run_on_terminal("tasks", columns=80).out.decode().splitlines()
    assert lines[-1] == "2 done; to list them: photoindex tasks --state done"


def test_tasks_are_json_lines_with_the_tables_own_states(
    volume_rows: VolumeRows, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "tasks", "--json", "--state", "quarantined")
    [value] = ran.json
    assert ran.code == 0
    assert os.fsencode(value.pop("path")) == os.fsencode(tmp_path) + b"/originals/b\xe9d\n.jpg"
    assert value == {
        "schema": 1, "id": 3, "stage": "ingest", "state": "quarantined", "attempts": 2, "error_class": "truncated",
        "error": "ends early,\tin the middle", "seconds": None, "updated_at": "2023-11-14T22:13:20.000Z",
        "dismissed_at": None, "subject_kind": "file", "subject_id": 3, "variant": {"code": STAGE.code_version},
    }  # fmt: skip
    [dismissed] = run(capsysbinary, "tasks", "--json", "--state", "dismissed").json
    assert (dismissed["state"], dismissed["dismissed_at"]) == ("quarantined", "1970-01-01T00:00:01.000Z")


def test_tasks_in_a_pipe_are_path_state_and_error(
    volume_rows: VolumeRows, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "tasks", tmp_path / "originals" / "left.jpg")
    path = os.fsencode(tmp_path / "originals" / "left.jpg")
    assert ran.out == path + b"\tdismissed\tends early,\\tin the middle\tingest\n"


def test_tables_escape_names(volume_rows: VolumeRows) -> None:
    # Wide enough for the path of the test's folder, because the table wraps long paths.
    ran = run_on_terminal("tasks", "--state", "quarantined", columns=300)
    assert ran.code == 0
    assert rb"b\xe9d\n" in ran.out
    assert b"truncated" in ran.out


def test_a_limit_and_an_unknown_state_or_stage(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert len(run(capsysbinary, "tasks", "-n", "2", "--json").json) == 2
    assert len(run(capsysbinary, "tasks", "-n", "2", "--state", "done", "--state", "quarantined").out.splitlines()) == 2
    unknown = run(capsysbinary, "tasks", "--state", "borken")
    assert unknown.code == 2
    assert b"states: pending, running, done" in unknown.err
    assert run(capsysbinary, "tasks", "--stage", "dreams").code == 2
    assert run(capsysbinary, "tasks", "/nowhere").code == 11


def test_retry_prints_the_count_and_the_command_to_run(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    dry = run(capsysbinary, "retry", "--dry-run")
    assert dry.out == b"1 task would be queued again; nothing was changed\n"
    assert states(capsysbinary)[2] == "quarantined"
    assert run(capsysbinary, "retry").out == b"1 task queued again; process with: photoindex scan\n"
    assert states(capsysbinary)[2] == "pending"
    assert run(capsysbinary, "retry").out == b"nothing to retry\n"
    assert run(capsysbinary, "retry", "--state", "dismissed", "--error-class", "truncated").out.startswith(
        b"1 task queued"
    )


def test_a_dismissal_can_be_undone(volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert b"photoindex undo" in run(capsysbinary, "retry", "--dismiss").out
    assert run(capsysbinary, "tasks", "--state", "quarantined").out == b""
    assert run(capsysbinary, "undo").code == 0
    assert len(run(capsysbinary, "tasks", "--state", "quarantined", "--json").json) == 1


def redo(capture: pytest.CaptureFixture[bytes], *words: str) -> CommandResult:
    return run(capture, "redo", *words)


def test_redo_accepts_a_query_that_begins_with_a_dash(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert redo(capsysbinary, "ingest", "-date:2019", "--dry-run").out.startswith(b"1 task would be")
    assert redo(capsysbinary, "ingest", "-date:2019").out == b"1 task queued again; process with: photoindex scan\n"
    assert states(capsysbinary)[:2] == ["done", "pending"]
    assert redo(capsysbinary, "ingest", "date:2019", "-type:raw").out.startswith(b"1 task queued again")
    assert states(capsysbinary)[:2] == ["pending", "pending"]


def test_redo_lists_the_stages_and_marks_an_error_in_the_query(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    unknown = redo(capsysbinary, "dreams")
    assert (unknown.code, b"stages: caption, embed, faces, hash, ingest" in unknown.err) == (2, True)
    assert redo(capsysbinary, "ingest", "dat:2019").code == 2
