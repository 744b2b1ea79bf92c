"""`photoindex open`: which files a program gets, and what is said where none can be opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from photoindex.store.schema.tables import asset_tag, tag
from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in

Capture = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        rows = VolumeRows(library, tmp_path / "originals")
        for number in range(1, 13):
            rows.add_whole_photo(f"p{number}.jpg", taken_at=f"2020-01-{number:02}T00:00:00", rating=number % 5)
        rows.add_whole_photo("gone.jpg", state="missing", camera_model="Gone")
        rows.add_whole_photo("trap.desktop", camera_model="Trap")
        rows.add_whole_photo(b"caf\xe9 \x1b[31m.jpg", camera_model="Odd")
        yield rows


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Make a program of this name in front of all others; it writes its arguments, each on a line, and runs `script`."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(name: str, script: str = "") -> Path:
        said = tmp_path / f"{name}.said"
        program = folder / name
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" -- >> '{said}'\n{script}\n")
        program.chmod(0o755)
        return said

    return make


@pytest.fixture
def desktop(programs: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISPLAY", ":9")
    return programs("xdg-open", "")


def calls(said: Path) -> list[list[bytes]]:
    return [call.splitlines() for call in said.read_bytes().split(b"--\n")[:-1]] if said.exists() else []


def test_the_desktop_opens_each_photo_of_a_query_by_itself(
    desktop: Path, tmp_path: Path, capsysbinary: Capture
) -> None:
    ran = run(capsysbinary, "open", "rating:1")
    expected = {os.fsencode(tmp_path / "originals" / f"p{number}.jpg") for number in (1, 6, 11)}
    assert (ran.code, ran.err) == (0, b"")
    assert {call[0] for call in calls(desktop)} == expected
    assert set(ran.out.splitlines()) == {b"opened " + path for path in expected}


def test_a_sentence_is_understood_as_in_search(desktop: Path, capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "open", "photos", "from", "1901", "--literal")
    assert b"understood" not in ran.err
    ran = run(capsysbinary, "open", "photos", "from", "1901")
    assert b"understood as: date:1901" in ran.err
    assert (ran.code, calls(desktop)) == (11, [])


def test_photos_are_opened_by_number_path_and_list(
    desktop: Path, tmp_path: Path, capsysbinary: Capture, volume_rows: VolumeRows
) -> None:
    copy = volume_rows.add_file("copy of p2.jpg", asset_id=volume_rows.asset_of(2))
    assert copy
    for words in (["3"], [str(tmp_path / "originals" / "copy of p2.jpg")]):
        assert run(capsysbinary, "open", *words).code == 0
    assert [Path(os.fsdecode(call[0])).name for call in calls(desktop)] == ["p3.jpg", "copy of p2.jpg"]


def test_the_first_photos_of_a_query_are_opened_in_its_order(desktop: Path, capsysbinary: Capture) -> None:
    out = run(capsysbinary, "open", "date:2020", "-n", "2").out.decode()
    assert [Path(line).name for line in out.splitlines()] == ["p12.jpg", "p11.jpg"]


def test_the_users_program_gets_all_paths_at_once_as_they_are(
    programs: Callable[[str, str], Path], tmp_path: Path, capsysbinary: Capture
) -> None:
    said = programs("viewer", "")
    ran = run(capsysbinary, "open", "camera:odd", "OR", "id:1", "--with", "viewer --fit 'to window'")
    originals = os.fsencode(tmp_path / "originals")
    assert ran.code == 0
    (call,) = calls(said)
    assert call[:2] == [b"--fit", b"to window"]
    assert set(call[2:]) == {originals + b"/caf\xe9 \x1b[31m.jpg", originals + b"/p1.jpg"}
    assert rb"caf\xe9 \x1b[31m.jpg" in ran.out
    assert b"\x1b" not in ran.out


def test_a_program_that_fails_is_named(programs: Callable[[str, str], Path], capsysbinary: Capture) -> None:
    programs("viewer", "exit 3")
    ran = run(capsysbinary, "open", "1", "--with", "viewer")
    assert ran.code == 2
    assert b"p1.jpg: viewer ended with 3\n" in ran.err
    assert not ran.out


def test_more_than_ten_are_opened_only_after_a_question(desktop: Path, capsysbinary: Capture) -> None:
    assert b"Open 12 photos?" in run(capsysbinary, "open", "date:2020").err
    assert b"Open 12 photos?" in run_on_terminal("open", "date:2020", answer=b"n\n").out
    assert calls(desktop) == []
    run_on_terminal("open", "date:2020", answer=b"y\n")
    assert len(calls(desktop)) == 12
    assert run(capsysbinary, "open", "date:2020", "--yes").out.count(b"opened ") == 12


def test_files_that_are_gone_and_names_that_a_desktop_would_run_are_not_opened(
    desktop: Path, tmp_path: Path, capsysbinary: Capture
) -> None:
    (tmp_path / "originals" / "p1.jpg").unlink()
    ran = run(capsysbinary, "open", "id:1,2", "OR", "camera:trap")
    assert ran.code == 0
    assert [Path(os.fsdecode(call[0])).name for call in calls(desktop)] == ["p2.jpg"]
    assert b"p1.jpg: it is not there now" in ran.err
    assert b"trap.desktop: by its name it is no photo" in ran.err


def test_sensitive_photos_of_a_query_are_left_out_unless_asked_for(
    desktop: Path, capsysbinary: Capture, volume_rows: VolumeRows
) -> None:
    with volume_rows.writing() as connection:
        connection.execute(insert(tag).values(id=1, name="sensitive", name_key="sensitive", created_at=0.0))
        connection.execute(insert(asset_tag).values(asset_id=volume_rows.asset_of(1), tag_id=1, at=0.0))
    ran = run(capsysbinary, "open", "id:1,2")
    assert ran.err == b"1 sensitive photo left out; --sensitive opens them\n"
    assert ran.out.count(b"opened ") == 1
    assert run(capsysbinary, "open", "id:1,2", "--sensitive").out.count(b"opened ") == 2
    assert run(capsysbinary, "open", "1").out.count(b"opened ") == 1


def test_a_folder_cannot_name_the_program(
    tmp_path: Path, programs: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture
) -> None:
    said = programs("evil", "")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("PHOTOINDEX_OPEN__COMMAND=evil\n")
    ran = run(capsysbinary, "open", "1")
    assert (ran.code, calls(said)) == (3, [])
    assert b"open.command (.env:1" in ran.err
    Path(".env").write_text(f"PHOTOINDEX_CONFIG={tmp_path}/there.toml\n")
    Path("there.toml").write_text('[open]\ncommand = "evil"\n')
    assert (run(capsysbinary, "open", "1").code, calls(said)) == (3, [])
    Path(".env").unlink()
    monkeypatch.setenv("PHOTOINDEX_CONFIG", f"{tmp_path}/there.toml")
    assert (run(capsysbinary, "open", "1").code, len(calls(said))) == (0, 1)
