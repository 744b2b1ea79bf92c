"""No output path lets a name, a title or an error message control the terminal; in a pipe, data is byte for byte."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import update

from photoindex.store.schema.tables import photo, photo_text, task
from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in

EVIL = b"\x1b]0;evil\x07\x1b[31m\x9b2J\x7f"
"""Sets the title, turns the text red, clears the screen by a control character of its own, deletes."""
NAME = b"IMG_" + EVIL + "\u009b\u202egpj.jpg".encode()
TITLE = "A title \x1b]52;c;ZXZpbA==\x07 \u009b31m \u202e"
_OURS = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]\r?|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")
"""Colours, cursor and links, as our own tables and progress write them."""
COMMANDS = {
    "search": "search a", "search json": "search a --json", "search csv": "search a --csv", "search nul": "search a -0",
    "search format": "search a --format {path}|{title}", "search explain": "search a --explain",
    "show": "show 1", "show json": "show 1 --json", "why": "why {file}", "why json": "why {file} --json",
    "tasks": "tasks", "tasks json": "tasks --json", "tasks csv": "tasks --csv", "log": "log", "log json": "log --json",
    "log csv": "log --csv", "status": "status", "status json": "status --json", "events": "events",
    "events json": "events --json", "events csv": "events --csv", "saved": "saved", "saved csv": "saved --csv",
    "pair": "pair explain 1", "duplicates": "duplicates --exact", "duplicates nul": "duplicates --exact -0",
    "sql": "sql SELECT|path,title|FROM|v_photo", "sql csv": "sql SELECT|path,title|FROM|v_photo --csv",
    "sql tsv": "sql SELECT|path,title|FROM|v_photo --tsv", "sql json": "sql SELECT|path,title|FROM|v_photo --json",
    "sql nl": "sql SELECT|path,title|FROM|v_photo --nl", "config": "config show", "config path": "config path",
    "prune": "prune --dry-run", "redo": "redo ingest --dry-run", "retry": "retry --dry-run",
    "time": "time shift --by 1h --dry-run 1", "facts": "facts {file}",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The path of the one photo of a library whose name, title and error are hostile."""
    originals = tmp_path / "originals"
    originals.mkdir()
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, originals)
        rows.add_root()
        rows.add_whole_photo(NAME)
        rows.add_task(rows.add_file(b"x" + NAME), "quarantined", error_class="undecodable")
        with library.database.write() as connection:
            connection.execute(update(photo).values(title=TITLE))
            connection.execute(update(photo_text).values(title=TITLE + " a"))
            connection.execute(update(task).values(error=TITLE))
    return os.fsencode(originals) + b"/" + NAME


def words_of(command: str, file: bytes) -> list[str]:
    return [word.replace("|", " ").replace("{file}", os.fsdecode(file)) for word in COMMANDS[command].split(" ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_controls_the_terminal(file: bytes, command: str) -> None:
    ran = run_on_terminal(*words_of(command, file))
    assert ran.code in (0, 2, 11, 100), ran.out
    left = _OURS.sub(b"", ran.out).replace(b"\r\n", b"\n")
    text = left.decode("utf-8", "surrogateescape")
    bad = [one for one in text if one not in "\n\t\0" and (not one.isprintable() or 0xDC80 <= ord(one) <= 0xDCFF)]
    assert bad == [], ran.out
    assert b"\x1b[31m\x9b" not in ran.out


@pytest.mark.parametrize(
    ("command", "expected"),
    [("search nul", NAME), ("search csv", NAME), ("sql csv", TITLE.encode()), ("sql tsv", TITLE.encode())],
)
def test_a_pipe_gets_every_byte(
    file: bytes, command: str, expected: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert expected in run(capsysbinary, *words_of(command, file)).out


def test_csv_for_spreadsheets_runs_no_formula_and_keeps_numbers(
    file: bytes, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with library_in(tmp_path / "library") as library, library.database.write() as connection:
        connection.execute(update(photo).values(title="=HYPERLINK(1)", latitude=-12.5, longitude=-1.0))
    plain = run(capsysbinary, "search", "--csv").out
    safe = run(capsysbinary, "search", "--csv-safe").out
    assert b",=HYPERLINK(1)," in plain
    assert b",'=HYPERLINK(1)," in safe
    assert b",-12.5," in safe
    assert safe.replace(b"'=", b"=") == plain
