"""`photoindex index`: output for people and programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.index.maintain import LOCK_NAME
from photoindex.library.lock import exclusive
from tests.command_line import run, run_on_terminal
from tests.rows import library_in
from tests.spaces import SpaceRows
from tests.vectors import unit_vectors


@pytest.fixture
def space(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpaceRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = SpaceRows(library, tmp_path / "originals")
        made.add(unit_vectors(40))
        yield made


def test_status_shows_the_state_of_each_space(
    space: SpaceRows, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    SpaceRows(space.library, tmp_path / "originals", "other")
    first, second = run(capsysbinary, "index", "status", "--json").json
    assert (first["space"], first["state"], first["vectors"], first["unmerged"]) == ("clip", "none", 40, 40)
    assert (second["space"], second["state"], second["vectors"]) == ("other", "none", 0)
    assert run(capsysbinary, "index", "rebuild", "--space", "clip").code == 0
    space.add(unit_vectors(3, seed=1))
    ran = run(capsysbinary, "index", "status", "--space", "clip", "--json")
    (line,) = ran.json
    assert line == {
        "schema": 1, "space": "clip", "state": "current", "vectors": 43, "merged": 40, "unmerged": 3, "gone": 0,
        "bytes": line["bytes"], "generation": "gen-000001", "problem": None, "coded": False, "dim": 32,
        "made_at": line["made_at"], "faiss": line["faiss"], "verified": False,
    }  # fmt: skip
    assert line["bytes"] > 40 * 64
    assert run(capsysbinary, "index", "status", "--space", "clip").out == b"clip\tcurrent\t43\t3\t0\n"


def test_verify_finds_damage_and_says_what_to_run(space: SpaceRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(capsysbinary, "index", "rebuild")
    (line,) = run(capsysbinary, "index", "status", "--verify", "--json").json
    assert (line["verified"], line["problem"]) == (True, None)
    (space.folder / space.generation / "sample.f16").write_bytes(b"")
    ran = run(capsysbinary, "index", "status", "--verify", "--json", "--progress", "none")
    assert (ran.code, ran.json[0]["state"]) == (0, "damaged")
    assert ran.json[0]["problem"] == "sample.f16 has a wrong checksum"
    assert b"damaged: clip; search still works from the database. Rebuild with: photoindex index rebuild" in ran.err
    assert run(capsysbinary, "index", "rebuild", "--json").json[0]["vectors"] == 40
    assert run(capsysbinary, "index", "status", "--verify", "--json").json[0]["state"] == "current"


def test_rebuild_and_optimize_print_their_results(space: SpaceRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (line,) = run(capsysbinary, "index", "rebuild", "--json").json
    assert (line["changed"], line["vectors"], line["joined"], line["dropped"]) == (True, 40, 40, 0)
    space.remove(space.ids()[:5].tolist())
    space.add(unit_vectors(2, seed=4))
    ran = run(capsysbinary, "index", "optimize", "--json", "--progress", "json")
    assert (ran.json[0]["vectors"], ran.json[0]["joined"], ran.json[0]["dropped"]) == (37, 2, 5)
    assert all(json.loads(one) for one in ran.err.splitlines())
    (line,) = run(capsysbinary, "index", "optimize", "--json").json
    assert (line["changed"], line["vectors"]) == (False, 37)


def test_on_a_terminal_there_is_a_table(space: SpaceRows) -> None:
    ran = run_on_terminal("index", "rebuild")
    assert ran.code == 0
    assert b"added" in ran.out
    shown = run_on_terminal("index", "status").out
    for word in (b"unmerged", b"gone", b"gen-000001", b"clip"):
        assert word in shown


def test_without_a_space_it_says_how_to_create_one(library_folder: Path) -> None:
    with library_in(library_folder):
        pass
    for command in ("status", "rebuild", "optimize"):
        ran = run_on_terminal("index", command, "--library", library_folder)
        assert ran.code == 0
        assert b"photoindex embed" in ran.out


@pytest.mark.parametrize(
    ("words", "code"),
    [(("status", "--space", "nowhere"), 11), (("rebuild", "clip"), 2), (("--json",), 2), (("mend",), 2)],
)
def test_mistakes_are_refused(
    space: SpaceRows, capsysbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...], code: int
) -> None:
    assert run(capsysbinary, "index", *words).code == code


def test_only_one_process_writes_an_index(space: SpaceRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with exclusive(space.library.folder, "embed", name=LOCK_NAME):
        assert run(capsysbinary, "index", "rebuild").code == 5
        assert run(capsysbinary, "index", "status").code == 0


def test_a_folder_that_cannot_be_written_is_named_and_no_traceback(
    space: SpaceRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shutil.rmtree(space.library.indices_folder, ignore_errors=True)
    space.library.indices_folder.write_bytes(b"a file where a folder should be")
    ran = run(capsysbinary, "index", "rebuild")
    assert ran.code == 2
    assert b"writing the index of space 'clip' failed" in ran.err
