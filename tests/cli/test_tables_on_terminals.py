"""Tables and details fit a terminal of 80 and of 120 columns: whole words and ids, paths as they are called from here."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in

DIGEST = "0" * 63 + "1"
LONG = "2019/Sommer in der Toskana mit allen Cousinen/PXL_20190703_123011042.PORTRAIT-01.COVER_bearbeitet.jpg"
MESSAGE = f"truncated: the picture {DIGEST} ends before the end of the picture"
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

COMMANDS = (
    ("search", "camera:canon"), ("tasks",), ("duplicates", "--progress", "none"), ("events",), ("log", "--changes"), ("doctor",),
    ("config", "show"), ("sql", "--views"), ("models", "list"), ("album", "show", "Sommer"), ("backup", "list", "../backup"), ("status",),
)  # fmt: skip


@pytest.fixture
def originals(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    folder = tmp_path / "originals"
    with library_in(library_folder) as library:
        rows = VolumeRows(library, folder)
        rows.add_root()
        photo = rows.add_whole_photo(
            LONG,
            camera_make="Canon",
            camera_model="Canon EOS 5D Mark III",
            title="Am Strand",
            taken_at="2019-07-03T12:30:11+02:00",
            taken_at_source="exif",
            keywords=["Donaudampfschifffahrtsgesellschaft", "family"],
            asset_facts={"xmp": {"title": "Dawn"}, "iptc": {"title": "IMG_1"}, "exif": {"software": "GIMP"}},
        )
        rows.add_file("copy/" + LONG, asset_id=rows.asset_of(photo))
        for number in range(12):
            rows.add_whole_photo(f"2020/IMG_{number:04}.jpg", taken_at=f"2020-05-{number + 1:02}T10:00:00")
        rows.add_task(rows.add_file("broken.jpg"), "quarantined", attempts=2, error_class="truncated", error=MESSAGE)
        rows.add_task(rows.add_file("late.jpg"), "pending")
        rows.add_file("gone.jpg", state="missing", missing_since=1.7e9)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))
    return folder


def shown(*argv: str, columns: int) -> list[str]:
    out = run_on_terminal(*argv, columns=columns).out.decode()
    assert "Traceback" not in out
    return _CODES.sub("", out).replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_no_command_prints_a_line_that_the_terminal_has_to_break(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], columns: int
) -> None:
    assert run(capsysbinary, "album", "create", "Sommer", "date:2019").code == 0
    assert run(capsysbinary, "backup", "../backup", "--init").code == 0
    for command in COMMANDS if columns == 80 else COMMANDS[:3]:
        lines = shown(*command, columns=columns)
        # Messages are one line each, whatever the terminal: a command in them can be copied.
        longer = [line for line in lines if len(line) > columns and "photoindex" not in line]
        assert not longer, (command, longer)


@pytest.mark.parametrize("columns", [80, 120])
def test_paths_are_relative_to_the_current_folder_on_a_terminal_alone(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    found = shown("search", "date:2020", columns=columns)
    assert any(line.endswith(" 2020/IMG_0003.jpg") for line in found)
    assert str(originals) not in "".join(found)
    assert run(capsysbinary, "search", "date:2019").out == f"{originals}/{LONG}\n".encode()
    assert run(capsysbinary, "search", "date:2019", "--json").json[0]["path"] == f"{originals}/{LONG}"
    assert f"{originals}/2020/IMG_0003.jpg" in run_on_terminal("search", "date:2020", "--csv").out.decode()
    assert f"  primary  {originals}/2020/IMG_0003.jpg" in run(capsysbinary, "show", "5").out.decode()
    monkeypatch.chdir(originals / "2020")
    assert any(line.endswith(" IMG_0003.jpg") for line in shown("search", "date:2020", columns=columns))
    monkeypatch.chdir("/")
    away = "".join(line.strip() for line in shown("search", "id:5", columns=200))
    assert f"{originals}/2020/IMG_0003.jpg" in away


def test_paths_are_relative_to_the_name_by_which_a_person_came_here(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(originals)
    monkeypatch.chdir(tmp_path / "link")
    for name in (str(tmp_path / "link"), "/nowhere", ""):
        monkeypatch.setenv("PWD", name)
        assert any(line.endswith(" 2020/IMG_0003.jpg") for line in shown("search", "id:5", columns=80))


@pytest.mark.parametrize("columns", [80, 120])
def test_ids_and_words_are_whole_and_a_long_name_keeps_both_ends(originals: Path, columns: int) -> None:
    tasks = shown("tasks", columns=columns)
    assert any(DIGEST in line for line in tasks)
    words = {word for line in tasks for word in line.split()}
    assert {"quarantined", "pending", "broken.jpg", "late.jpg", "picture"} <= words
    details = shown("show", "1", columns=columns)
    assert any(DIGEST in line for line in details)
    assert any("Donaudampfschifffahrtsgesellschaft" in line for line in details)
    found = shown("search", "date:2019", columns=columns)
    name = next(line.split()[-1] for line in found if "PXL_" in line)
    assert name.startswith("PXL_2019")
    assert name.endswith("itet.jpg")
    assert (name == LONG.rsplit("/", maxsplit=1)[-1]) == ("…" not in name)


def test_details_keep_their_indentation_where_a_line_is_too_long(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for command in (("show", "1"), ("why", "broken.jpg"), ("status",)):
        lines = shown(*command, columns=60)
        headings = {line for line in run(capsysbinary, *command).out.decode().splitlines()[1:] if line[0] != " "}
        assert headings
        for line in lines[1:]:
            assert line in headings or line.startswith("  "), (command, line)
    label = "  because     "
    lines = shown("why", "broken.jpg", columns=80)
    first = next(index for index, line in enumerate(lines) if line.startswith(label))
    assert lines[first + 1].startswith(" " * len(label))


def test_details_in_a_pipe_are_as_wide_as_they_are(
    originals: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = run(capsysbinary, "why", "broken.jpg").out.decode().splitlines()
    assert any(MESSAGE in line for line in lines)


def test_a_hostile_name_is_shortened_as_it_is_shown(originals: Path, library_folder: Path) -> None:
    with library_in(library_folder) as library:
        name = b"2021/" + b"\x1b[31m" * 30 + b"\xff" * 60 + b"\n.jpg"
        VolumeRows(library, originals).add_whole_photo(name, taken_at="2021-01-01T00:00:00")
    out = run_on_terminal("search", "date:2021", columns=80).out
    assert b"\x1b[31m" not in out
    assert b"\xff" not in out
    assert rb"\x1b" in out
    assert all(len(line) <= 80 for line in _CODES.sub("", out.decode()).splitlines())
    assert os.fsencode(json.loads(run_on_terminal("search", "date:2021", "--json").out)["path"]).endswith(b"\n.jpg")
