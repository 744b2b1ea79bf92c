"""`photoindex backup`, `backup list`, `backup verify`, `restore`: output for people, scripts and cron jobs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from sqlalchemy import text

from photoindex.cli.main import _rearranged, build_app, main
from photoindex.library.lock import exclusive
from tests.rows import VolumeRows, library_in


class Result(NamedTuple):
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run photoindex in the test's folder with its library, which holds two photos."""
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path / "originals")
        volume_rows.add_root()
        for name in ("a.jpg", b"\xff.jpg"):
            volume_rows.add_whole_photo(name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))

    def _run(*arguments: str | Path) -> Result:
        capfd.readouterr()
        code = main([str(one) for one in arguments])
        return Result(code, *capfd.readouterr())

    return _run


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@contextmanager
def library_at(tmp_path: Path) -> Iterator[Any]:
    with library_in(tmp_path / "library") as library:
        yield library


def test_a_backup_prints_the_path_of_its_snapshot_and_a_summary(run: Run, tmp_path: Path) -> None:
    result = run("backup", "nas/deep", "--init")
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "nas" / "deep").glob("photoindex-2*")
    assert result.stdout == f"{folder}\n"
    assert result.stderr.splitlines()[-1].startswith("backed up the records of 2 photos in ")
    assert result.stderr.splitlines()[-1].endswith("; the originals are not in it")


def test_a_snapshot_is_created_listed_verified_and_restored(run: Run, tmp_path: Path) -> None:
    (made,) = rows(run("backup", "nas", "--init", "--json"))
    assert made["schema"] == 1
    assert made["counts"] == {"photos": 2, "files": 2, "assets": 2}

    (listed,) = rows(run("backup", "list", "nas", "--json"))
    assert listed == made
    assert listed["path"] == str(next((tmp_path / "nas").glob("photoindex-2*")))
    assert listed["created_at"].endswith("Z")
    assert listed["bytes"] == sum(one.stat().st_size for one in Path(made["path"]).iterdir())
    assert listed["verified_at"] is not None

    (verified,) = rows(run("backup", "verify", made["path"], "--json"))
    assert verified["verified_at"] is not None
    assert rows(run("backup", "list", "nas", "--json"))[0]["verified_at"] == verified["verified_at"]

    result = run("restore", made["path"], "--library", "new", "--json")
    (restored,) = rows(result)
    assert restored["library"] == str(tmp_path / "new")
    assert restored["lost_previews"] == 2
    assert "previews are not in snapshots; scan rebuilds 2" in result.stderr
    assert run("log", "--library", "new").returncode == 0


def test_options_may_be_before_or_after_the_destination(run: Run, tmp_path: Path) -> None:
    for arguments in (("--keep", "1", "nas"), ("nas", "--keep", "1"), ("nas", "--keep=1")):
        assert run("backup", *arguments, "--init").returncode == 0
    assert len(list((tmp_path / "nas").glob("photoindex-2*"))) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("backup nas", "backup make nas"),
        ("backup --keep 3 nas --json", "backup make --keep 3 nas --json"),
        ("backup list nas", "backup list nas"),
        ("backup --json list nas", "backup list --json nas"),
        ("backup verify --progress none x", "backup verify --progress none x"),
        ("backup --library list nas", "backup make --library list nas"),
        ("backup ./list", "backup make ./list"),
        ("backup make list", "backup make list"),
        ("backup", "backup"),
        ("backup --help", "backup --help"),
        ("backup --json", "backup make --json"),
        ("--library backup backup nas", "--library backup backup make nas"),
        ("--library x backup -- list", "--library x backup list --"),
    ],
)
def test_a_backup_without_a_subcommand_makes_a_snapshot(written: str, read: str) -> None:
    app: Any = typer.main.get_command(build_app("backup"))
    assert _rearranged(written.split(), app) == read.split()


def test_a_destination_with_the_name_of_a_subcommand_is_written_with_its_folder(run: Run, tmp_path: Path) -> None:
    assert run("backup", "./list", "--init").returncode == 0
    assert len(list((tmp_path / "list").glob("photoindex-2*"))) == 1
    assert len(rows(run("backup", "list", "list", "--json"))) == 1


def test_help_names_the_destination_and_the_subcommands(run: Run) -> None:
    result = run("backup", "--help")
    assert result.returncode == 0
    assert "photoindex backup DEST" in result.stdout
    assert {"make", "list", "verify"} <= set(result.stdout.split())


def test_damage_exits_with_13_and_names_the_part(run: Run, tmp_path: Path) -> None:
    (made,) = rows(run("backup", "nas", "--init", "--json"))
    part = Path(made["path"]) / "photoindex.db.zst"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    for result in (run("backup", "verify", made["path"]), run("restore", made["path"], "--library", "new")):
        assert (result.returncode, result.stdout) == (13, "")
        assert "photoindex.db.zst" in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "new").exists()
    part.unlink()
    (listed,) = rows(run("backup", "list", "nas", "--json"))
    assert (listed["state"], listed["problem"]) == ("damaged", "photoindex.db.zst is missing")


def test_restore_requires_a_folder(run: Run) -> None:
    (made,) = rows(run("backup", "nas", "--init", "--json"))
    result = run("restore", made["path"])
    assert result.returncode == 2
    assert "--library NEW" in result.stderr


def test_restore_accepts_the_folder_before_the_command_too(run: Run, tmp_path: Path) -> None:
    (made,) = rows(run("backup", "nas", "--init", "--json"))
    result = run("--library", "new", "restore", made["path"])
    assert (result.returncode, result.stdout) == (0, f"{tmp_path}/new\n")
    result = run("--library", "new", "restore", made["path"], "--library", "other")
    assert (result.returncode, result.stdout) == (0, f"{tmp_path}/other\n")


def test_restore_replaces_a_library_only_with_the_option_and_names_the_old_one(run: Run, tmp_path: Path) -> None:
    (made,) = rows(run("backup", "nas", "--init", "--json"))
    refused = run("restore", made["path"], "--library", "library")
    assert (refused.returncode, refused.stdout) == (2, "")
    result = run("restore", made["path"], "--library", "library", "--replace")
    assert (result.returncode, result.stdout) == (0, f"{tmp_path}/library\n")
    (aside,) = tmp_path.glob("library.replaced-*")
    assert str(aside) in result.stderr


def test_the_only_snapshot_of_a_destination_is_verified_and_of_several_all_are_named(run: Run, tmp_path: Path) -> None:
    run("backup", "nas", "--init")
    (tmp_path / "nas" / ".photoindex-killed").mkdir()
    first = run("backup", "verify", "nas")
    (folder,) = (tmp_path / "nas").glob("photoindex-2*")
    assert (first.returncode, first.stdout) == (0, f"{folder}\n"), first.stderr
    other = tmp_path / "nas" / "photoindex-20200101T000000Z"
    shutil.copytree(folder, other)
    several = run("backup", "verify", "nas")
    assert several.returncode == 2
    assert several.stderr.count("photoindex-2") == 2
    assert f"name one of them: {folder}, {other}" in several.stderr or f"{other}, {folder}" in several.stderr
    shutil.rmtree(other)
    part = next(folder.glob("*.zst"))
    part.write_bytes(part.read_bytes()[:-1])
    damaged = run("backup", "verify", "nas")
    assert (damaged.returncode, folder.name in damaged.stderr) == (13, True)


def test_a_path_that_is_not_a_snapshot_is_a_usage_error(run: Run) -> None:
    for arguments in (
        ("backup", "verify", "originals"),
        ("backup", "list", "nowhere"),
        ("restore", "x", "--library", "y"),
    ):
        result = run(*arguments)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_a_library_of_a_newer_version_exits_with_6(run: Run, tmp_path: Path) -> None:
    with library_at(tmp_path) as library, library.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
        connection.execute(text("INSERT INTO schema_history VALUES ('0099', '7.8.9', 0)"))
    for arguments in (("log",), ("backup", "nas", "--init"), ("undo",)):
        result = run(*arguments)
        assert (result.returncode, result.stdout) == (6, "")
        assert "install photoindex 7.8.9 or later" in result.stderr


def test_a_locked_library_is_not_replaced_but_can_be_backed_up(run: Run, tmp_path: Path) -> None:
    with exclusive(tmp_path / "library", "photoindex scan"):
        (made,) = rows(run("backup", "nas", "--init", "--json"))
        result = run("restore", made["path"], "--library", "library", "--replace")
    assert result.returncode == 5
    assert "`photoindex scan` (process " in result.stderr
