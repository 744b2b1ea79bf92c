"""`photoindex time`: output for people and programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.command_line import run, run_on_terminal
from tests.harness import LibraryRunner
from tests.originals import write_photo
from tests.synthetic import make_library


@pytest.fixture
def originals(tmp_path: Path, library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    folder = tmp_path / "originals"
    write_photo(folder / "a.jpg", 1, taken="2019:06:01 12:00:00")
    write_photo(folder / "-b.jpg", 2, taken="2019:06:01 12:30:00")
    LibraryRunner(library_folder).scan(folder)
    return folder


def test_a_dry_run_lists_before_and_after_and_changes_nothing(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "time", "shift", "--by", "-2d", originals / "a.jpg", "--dry-run")
    assert ran.out == f"{originals}/a.jpg\t2019-06-01T12:00:00\t2019-05-30T12:00:00\n".encode()
    assert ran.err == b"nothing was changed\n"
    assert run(capsysbinary, "log").out == b""


def test_a_dry_run_lists_only_what_would_change_and_names_the_rest_with_the_reason(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "time", "set", originals / "a.jpg", "--to", "1974", "--progress", "none")
    ran = run(capsysbinary, "time", "reset", originals, "--dry-run")
    assert ran.out == f"{originals}/a.jpg\t1974\t2019-06-01T12:00:00\n".encode()
    passed = f"not changed: {originals}/-b.jpg: its time was not corrected\n"
    assert ran.err.decode() == passed + "nothing was changed\n"
    ran = run(capsysbinary, "time", "shift", originals, "--by", "1h", "--dry-run")
    assert ran.out == f"{originals}/-b.jpg\t2019-06-01T12:30:00\t2019-06-01T13:30:00\n".encode()
    passed = f"not changed: {originals}/a.jpg: only the year is known (1974)\n"
    assert ran.err.decode() == passed + "nothing was changed\n"
    ran = run(capsysbinary, "time", "shift", originals, "--by", "1h", "--dry-run", "--json")
    assert {one["path"]: one["changed"] for one in ran.json} == {
        f"{originals}/-b.jpg": True,
        f"{originals}/a.jpg": False,
    }
    ran = run(capsysbinary, "time", "shift", originals / "a.jpg", "--by", "1h", "--dry-run")
    assert (ran.code, ran.out, passed in ran.err.decode()) == (11, b"", True)


def test_a_table_marks_times_that_are_only_the_files(originals: Path, library_folder: Path) -> None:
    write_photo(originals / "c.jpg", 3)
    os.utime(originals / "c.jpg", (1717236000, 1717236000))
    LibraryRunner(library_folder).scan(originals)
    shown = run_on_terminal("time", "set", originals / "c.jpg", "--to", "1974", "--dry-run").out.decode()
    assert "~2024-06-01T10:00:00+00:00" in shown
    assert "~1974" not in shown


def test_a_correction_prints_the_undo_command(originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "time", "set", originals, "--to", "1974-06", "--progress", "none")
    assert ran.out == b"time set to 1974-06 of 2 photos; take it back with: photoindex undo 1\n"
    found = run(capsysbinary, "search", "date:1974-06", "--count")
    assert found.out == b"2\n"
    assert b"time set to 1974-06 of 2 photos" in run(capsysbinary, "log").out
    assert run(capsysbinary, "undo").code == 0
    assert run(capsysbinary, "search", "date:2019-06-01", "--count").out == b"2\n"


def test_json_has_one_object_per_photo(originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(capsysbinary, "time", "set", originals / "a.jpg", "--to", "1974")
    ran = run(capsysbinary, "time", "shift", originals, "--by", "+1h30m", "--json", "--progress", "none")
    # Two workers read the files, so either may become the first photo.
    lines = sorted(ran.json, key=lambda one: str(one["path"]))
    assert {one.pop("id") for one in lines} == {1, 2}
    assert lines == [
        {
            "schema": 1, "path": f"{originals}/-b.jpg", "before": "2019-06-01T12:30:00",
            "after": "2019-06-01T14:00:00", "changed": True, "why": None,
        },
        {
            "schema": 1, "path": f"{originals}/a.jpg", "before": "1974", "after": "1974", "changed": False,
            "why": "only the year is known (1974)",
        },
    ]  # fmt: skip


def test_terms_and_names_that_start_with_a_dash_reach_the_command(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(originals)
    ran = run(capsysbinary, "time", "set", "-b.jpg", "--to=1974", "--dry-run")
    assert ran.out.split(b"\t")[0] == os.fsencode(originals / "-b.jpg")
    ran = run(capsysbinary, "time", "set", "-name:b", "date:2019", "--to", "1974", "--dry-run")
    assert ran.out.split(b"\t")[0] == os.fsencode(originals / "a.jpg")


def test_a_reset_removes_the_correction(originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(capsysbinary, "time", "set", originals / "a.jpg", "--to", "1974")
    ran = run(capsysbinary, "time", "reset", "date:1974..2020", "--progress", "none")
    assert ran.out == b"time reset of 1 photo; take it back with: photoindex undo 2\n"
    assert ran.err == f"not changed: {originals}/-b.jpg: its time was not corrected\n".encode()


def test_a_reset_of_a_folder_sums_up_the_photos_without_a_correction(
    originals: Path, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for seed in range(3, 7):
        write_photo(originals / f"{seed}.jpg", seed)
    LibraryRunner(library_folder).scan(originals)
    run(capsysbinary, "time", "set", originals / "a.jpg", "--to", "1974")
    summed = b"not changed: 5 photos whose time was not corrected\n"
    ran = run(capsysbinary, "time", "reset", originals, "--dry-run")
    assert (ran.out.count(b"\n"), ran.err) == (1, summed + b"nothing was changed\n")
    ran = run(capsysbinary, "time", "reset", originals, "--progress", "none")
    assert ran.out == b"time reset of 1 photo; take it back with: photoindex undo 2\n"
    assert ran.err == summed


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["set", "nothing-like-it", "--to", "1974"], 11, b"no photo matches"),
        (["set", "./nothing.jpg", "--to", "1974"], 11, b"is not in the library"),
        (["set", "date:2019", "--to", "tomorrow"], 2, b"is not a time"),
        (["set", "date:2019", "--to"], 2, b"--to needs a value"),
        (["set", "date:2019", "--form", "x"], 2, b"there is no option --form"),
        (["shift", "date:2019", "--by", "x"], 2, b"is not a length of time"),
        (["set", "", "--to", "1974"], 2, b"name the photos"),
    ],
)
def test_impossible_requests_are_refused_with_a_reason(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], words: list[str], code: int, message: bytes
) -> None:
    ran = run(capsysbinary, "time", *words)
    assert (ran.code, message in ran.err) == (code, True)
    assert run(capsysbinary, "log").out == b""


def test_a_shift_without_any_time_of_day_exits_with_11(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "time", "set", originals, "--to", "1974")
    ran = run(capsysbinary, "time", "shift", originals, "--by", "1h", "--progress", "none")
    assert ran.code == 11
    assert ran.err.count(b"only the year is known (1974)") == 2


@pytest.mark.parametrize(("answer", "changed"), [(b"n\n", False), (b"y\n", True)])
def test_a_query_of_many_photos_needs_confirmation_on_a_terminal(
    library_folder: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes,
    changed: bool,
) -> None:
    make_library(library_folder, 1005)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    ran = run_on_terminal("time", "set", "is:missing OR -is:missing", "--to", "1974", answer=answer)
    assert b"Time set to 1974 of 1,005 photos?" in ran.out
    assert (b"take it back" in ran.out) is changed


def test_a_query_of_many_photos_needs_yes_without_a_terminal(
    library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_library(library_folder, 1005)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        ran = run(capsysbinary, "time", "reset", "is:missing OR -is:missing")
    assert (ran.code, b"--yes" in ran.err) == (2, True)
    assert run(capsysbinary, "time", "reset", "is:missing OR -is:missing", "--yes").out == b"nothing to change\n"
