"""`photoindex config`: output for people and programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from photoindex.config.layers import fields
from tests.command_line import run as run_here
from tests.rows import library_in


@pytest.fixture
def run(tmp_path: Path):
    """Run photoindex in an empty folder, with extra variables."""
    folder = tmp_path / "current"
    folder.mkdir()

    def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "photoindex", *arguments]
        return subprocess.run(
            command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False
        )

    return _run


def test_show_prints_every_setting_with_value_and_origin_as_json_lines(run) -> None:
    result = run("config", "show", "--json", PHOTOINDEX_SCAN__JOBS="3", PHOTOINDEX_SCAN__EXCLUDE="*.tmp,x")
    assert (result.returncode, result.stderr) == (0, "")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["name"] for row in rows] == list(fields())
    found = {row["name"]: row for row in rows}
    assert found["scan.jobs"]["value"] == 3
    assert found["scan.jobs"]["origin"] == "environment PHOTOINDEX_SCAN__JOBS"
    assert found["scan.exclude"]["value"] == ["*.tmp", "x"]
    assert found["qdrant_url"] == {"schema": 1, "name": "qdrant_url", "value": None, "origin": "default"}


def test_show_prints_tab_separated_lines_in_a_pipe(run) -> None:
    result = run("config", "show", "--library", "/somewhere/else")
    assert "library\t/somewhere/else\tcommand line" in result.stdout.splitlines()


def test_the_global_library_overrides_the_environment_and_a_commands_own_option_overrides_it(run) -> None:
    result = run("--library", "/somewhere/else", "config", "show", PHOTOINDEX_LIBRARY="/not/here")
    assert "library\t/somewhere/else\tcommand line" in result.stdout.splitlines()
    result = run("--library", "/somewhere/else", "config", "show", "--library", "/here")
    assert "library\t/here\tcommand line" in result.stdout.splitlines()


@pytest.mark.parametrize("command", ["status", "saved", "saved remove x", "spaces list", "backup /nowhere"])
def test_the_global_library_reaches_commands_groups_and_their_subcommands(run, command: str) -> None:
    result = run("--library", "/somewhere/else", *command.split(), PHOTOINDEX_LIBRARY="/not/here")
    assert "/somewhere/else" in result.stderr
    assert "/not/here" not in result.stderr


def test_show_never_prints_a_password(run) -> None:
    result = run("config", "show", QDRANT_URL="https://me:hunter2@host")
    assert "hunter2" not in result.stdout + result.stderr
    assert "https://me:***@host" in result.stdout


def test_a_mistake_exits_with_3_and_one_line(run) -> None:
    result = run("config", "show", DEPLOY_PROFILE="P3")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("photoindex: profile P3 ")


def test_path_prints_the_path_of_the_settings_file(run, tmp_path: Path) -> None:
    path = tmp_path / "my settings.toml"
    missing = run("config", "path", PHOTOINDEX_CONFIG=str(path))
    assert (missing.returncode, missing.stdout) == (0, f"{path}\n")
    assert "does not exist yet" in missing.stderr
    path.touch()
    assert run("config", "path", PHOTOINDEX_CONFIG=str(path)).stderr == ""


def test_an_env_file_that_moves_the_library_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHOTOINDEX_LIBRARY", raising=False)
    with library_in(tmp_path / "elsewhere"):
        pass
    (tmp_path / ".env").write_text(f"PHOTOINDEX_LIBRARY={tmp_path / 'elsewhere'}\nPHOTOINDEX_SCAN__JOBS=1\n")
    ran = run_here(capsysbinary, "status", "--json")
    assert ran.code == 0
    expected = f"the .env of this folder sets library to {tmp_path / 'elsewhere'} (.env:1 PHOTOINDEX_LIBRARY)"
    assert ran.err.decode().splitlines() == [f"photoindex: {expected}"]
    assert run_here(capsysbinary, "status", "--json", "--library", tmp_path / "elsewhere").err == b""
