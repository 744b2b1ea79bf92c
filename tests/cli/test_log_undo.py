"""`photoindex log` and `photoindex undo`: listing and reverting changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, update

from photoindex.cli.main import main
from photoindex.library.lock import exclusive
from photoindex.store.journal import journal
from photoindex.store.schema.tables import photo
from tests.rows import VolumeRows, library_in


class Result(NamedTuple):
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run photoindex on a library of one photo that was rated 3, then 5."""
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path / "originals")
        volume_rows.add_whole_photo("a.jpg", keywords=["sea"])
        for stars in (3, 5):
            with library.database.write() as connection:
                chosen = select(photo.c.id)
                changes = journal.updates_as_changes(connection, photo, chosen, {"rating": stars})
                journal.record(connection, command="rate", summary=f"{stars} stars\x1b[2J", changes=changes)
                connection.execute(update(photo).values(rating=stars))

    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))

    def _run(*arguments: str) -> Result:
        capfd.readouterr()
        code = main(list(arguments))
        return Result(code, *capfd.readouterr())

    return _run


def rows(result: Result) -> list[dict[str, Any]]:
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def rating(tmp_path: Path) -> int | None:
    with library_in(tmp_path / "library") as library, library.database.read() as connection:
        found: int | None = connection.execute(select(photo.c.rating)).scalar_one()
        return found


def test_the_log_lists_changes_newest_first(run: Run) -> None:
    found = rows(run("log", "--json"))
    assert [(one["id"], one["command"], one["changes"], one["undone_by"]) for one in found] == [
        (2, "rate", 1, None),
        (1, "rate", 1, None),
    ]
    assert all(one["schema"] == 1 and one["at"].endswith("Z") for one in found)
    assert [one["id"] for one in rows(run("log", "--json", "-n", "1"))] == [2]
    assert [line.split("\t")[0] for line in run("log").stdout.splitlines()] == ["2", "1"]


def test_the_log_shows_each_row_before_and_after(run: Run) -> None:
    (newest,) = rows(run("log", "--changes", "-n", "1", "--json"))
    assert (newest["entry"], newest["table"], newest["key"]) == (2, "photo", {"id": 1})
    assert (newest["before"]["rating"], newest["after"]["rating"]) == (3, 5)
    assert newest["before"]["keywords"] == ["sea"]
    assert run("log", "-v", "-n", "1").stdout == "2\trate\tphoto\t1\trating=3\trating=5\n"


def test_undo_reverts_the_newest_then_the_one_before(run: Run, tmp_path: Path) -> None:
    assert run("undo").stdout == "entry 2 undone: 1 row restored; redo with: photoindex undo 3\n"
    assert rating(tmp_path) == 3
    assert rows(run("undo", "--json")) == [{"schema": 1, "entry": 1, "undone_by": 4, "rows": 1, "dry_run": False}]
    assert rating(tmp_path) is None
    nothing = run("undo")
    assert (nothing.returncode, nothing.stdout) == (11, "")
    assert "nothing to undo" in nothing.stderr


def test_undo_of_the_undo_redoes(run: Run, tmp_path: Path) -> None:
    run("undo")
    assert run("undo", "3").returncode == 0
    assert rating(tmp_path) == 5
    assert [(one["id"], one["command"], one["undone_by"]) for one in rows(run("log", "--json"))] == [
        (4, "redo", None),
        (3, "undo", 4),
        (2, "rate", None),
        (1, "rate", None),
    ]


def test_a_dry_run_changes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("undo", "2", "--dry-run")
    assert result.stdout == "entry 2 can be undone: 1 row would be restored; nothing was changed\n"
    assert rating(tmp_path) == 5
    assert len(rows(run("log", "--json"))) == 2


def test_an_entry_whose_rows_have_changed_is_refused_with_a_one_line_error(run: Run, tmp_path: Path) -> None:
    result = run("undo", "1")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "photo 1 has changed since; nothing was changed" in result.stderr
    assert rating(tmp_path) == 5
    assert run("undo", "77").returncode == 11


def test_nothing_is_undone_while_another_command_changes_the_library(run: Run, tmp_path: Path) -> None:
    with exclusive(tmp_path / "library", "photoindex scan"):
        result = run("undo")
    assert result.returncode == 5
    assert "`photoindex scan`" in result.stderr
