"""`photoindex pair`: output for people and programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import run
from tests.harness import LibraryRunner
from tests.pairing_files import write_motion_photo, write_raw, write_still


@pytest.fixture
def originals(tmp_path: Path, library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    folder = tmp_path / "originals"
    write_raw(folder / "-1.dng", 1)
    write_still(folder / "-1.jpg", 2)
    write_still(folder / "other.jpg", 3)
    LibraryRunner(library_folder).scan(folder)
    return folder


def photos(capture: pytest.CaptureFixture[bytes]) -> int:
    return int(run(capture, "status", "--json").json[0]["photos"])


def test_explain_names_the_reason_of_each_link(originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "pair", "explain", originals / "-1.dng")
    assert b"RAW and picture: -1.dng and -1.jpg have the same name" in ran.out
    (value,) = run(capsysbinary, "pair", "explain", "--json", originals / "-1.dng").json
    assert value["schema"] == 1
    assert value["path"] == f"{originals}/-1.jpg"
    assert [(content["role"], content["paths"]) for content in value["contents"]] == [
        ("primary", [f"{originals}/-1.jpg"]),
        ("raw", [f"{originals}/-1.dng"]),
    ]
    assert value["candidates"] == value["decisions"] == value["sidecars"] == value["burst"] == []


def test_explain_names_the_file_that_contains_a_video(
    originals: Path, library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    offset, length = write_motion_photo(originals / "moving.jpg", 4)
    LibraryRunner(library_folder).scan(originals)
    ran = run(capsysbinary, "pair", "explain", originals / "moving.jpg")
    message = f"its file holds a video of {length} B from byte {offset} on (google)"
    assert message in ran.out.decode()
    (value,) = run(capsysbinary, "pair", "explain", "--json", originals / "moving.jpg").json
    assert value["contents"][0]["motion"] == {"kind": "google", "offset": offset, "bytes": length}
    (value,) = run(capsysbinary, "pair", "explain", "--json", originals / "other.jpg").json
    assert value["contents"][0]["motion"] is None


def test_a_dry_run_lists_the_result_and_changes_nothing(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(originals)
    ran = run(capsysbinary, "pair", "split", "-1.dng", "--dry-run")
    assert sorted(ran.out.splitlines()) == sorted(f"{originals}/-1.{end} (primary)".encode() for end in ("jpg", "dng"))
    assert ran.err == b"would make 2 photos of 1 photo; nothing was changed\n"
    assert photos(capsysbinary) == 2


def test_split_and_join_print_the_undo_command(originals: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "pair", "split", originals / "-1.dng", "--progress", "none")
    assert ran.out == b"made 2 photos of 1 photo; take it back with: photoindex undo 1\n"
    assert photos(capsysbinary) == 3
    assert b"split by hand" in run(capsysbinary, "pair", "explain", originals / "-1.dng").out
    ran = run(capsysbinary, "pair", "join", originals / "-1.dng", originals / "other.jpg", "--progress", "none")
    assert ran.out == b"made 1 photo of 2 photos; take it back with: photoindex undo 2\n"
    assert photos(capsysbinary) == 2
    assert run(capsysbinary, "undo", "2").code == 0
    assert run(capsysbinary, "undo", "1").code == 0
    assert photos(capsysbinary) == 2
    assert b"RAW and picture" in run(capsysbinary, "pair", "explain", originals / "-1.dng").out


def test_json_has_one_object_per_new_photo_and_per_skipped_one(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    made_jpg, made_dng, passed = run(
        capsysbinary, "pair", "split", "ext:jpg", "--json", "--dry-run", "--progress", "none"
    ).json
    assert {made_jpg["path"], made_dng["path"]} == {f"{originals}/-1.jpg", f"{originals}/-1.dng"}
    assert (made_jpg["changed"], made_jpg["id"], len(made_jpg["contents"])) == (True, None, 1)
    assert (passed["changed"], passed["why"]) == (False, "it has only one content")


def test_a_query_that_starts_with_a_dash_reaches_the_command(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "pair", "split", "-name:other", "ext:jpg", "--progress", "none")
    assert ran.out.startswith(b"made 2 photos of 1 photo")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["join", "other.jpg"], 2, b"one file is not enough to join"),
        (["split", "nothing-like-it"], 11, b"no photo matches"),
        (["explain", "./nothing.jpg"], 11, b"is not in the library"),
    ],
)
def test_impossible_requests_are_refused_with_a_reason(
    originals: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: bytes,
) -> None:
    monkeypatch.chdir(originals)
    ran = run(capsysbinary, "pair", *words)
    assert (ran.code, message in ran.err) == (code, True)
    assert photos(capsysbinary) == 2
