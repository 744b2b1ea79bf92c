"""`--quiet`: which commands have it, and that they are silent unless something is new or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photoindex.library.lock import exclusive
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner
from tests.reference import app
from tests.tiny_clip.scenes import all_scenes
from tests.tiny_faces import install_tiny_faces, write_faces
from tests.tiny_model import install_tiny, write_scenes

PHOTOS = 4


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    write_scenes(tmp_path / "photos", all_scenes()[: PHOTOS - 1])
    write_faces(tmp_path / "photos" / "faces.jpg", {(100, 100, 260, 260): 1})
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    install_tiny(runner.folder)
    install_tiny_faces(runner.folder)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    return runner


def said(result: CommandResult) -> str:
    return (result.out + result.err).decode()


def commands(of: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Yield each command with its options."""
    yield " ".join(words), {name for one in of.params for name in one.opts}
    for name, one in getattr(of, "commands", {}).items():
        yield from commands(one, (*words, name))


def test_what_works_for_hours_or_stands_in_a_crontab_can_be_quiet() -> None:
    known = dict(commands(app()))
    expected = {name for name, options in known.items() if "--for" in options}
    assert {"run", "embed", "faces", "caption", "tag auto", "ocr", "verify"} <= expected
    expected |= {"scan", "backup make", "backup verify", "cluster", "doctor"}
    assert {name for name in expected if "--quiet" not in known[name]} == set()


@pytest.mark.usefixtures("runner")
def test_a_quiet_stage_speaks_of_what_it_did_and_is_silent_when_nothing_is_new(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    for words, done in (
        (("embed",), f"embedded: {PHOTOS} pictures"),
        (("faces",), "faces: "),
        (("cluster",), "1 waiting"),
        (("tag", "auto", "--only", "tags"), "tags: "),
    ):
        first = run(capsysbinary, *words, "--quiet")
        assert (first.code, done in said(first)) == (0, True), said(first)
        second = run(capsysbinary, *words, "--quiet")
        assert (words, second.code, said(second)) == (words, 0, "")


def test_a_quiet_stage_leaves_the_work_to_the_one_that_is_at_it(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for stage in ("embed", "faces"):
        with exclusive(runner.folder, stage, name=f"{stage}.lock"):
            assert run(capsysbinary, stage).code == 5
            quiet = run(capsysbinary, stage, "--quiet")
        assert (quiet.code, said(quiet)) == (0, "")


@pytest.mark.usefixtures("runner")
def test_a_quiet_doctor_speaks_of_troubles_alone(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    rows = run(capsysbinary, "doctor").out.decode().splitlines()
    quiet = run(capsysbinary, "doctor", "--quiet")
    troubles = [row for row in rows if not row.startswith("ok")]
    assert [row.split("\t")[:2] for row in quiet.out.decode().splitlines()] == [row.split("\t")[:2] for row in troubles]
    assert len(troubles) < len(rows)


def test_a_quiet_check_of_a_snapshot_speaks_of_damage_alone(
    runner: LibraryRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = run(capsysbinary, "backup", tmp_path / "backups", "--init", "--json").json
    snapshot = Path(made[0]["path"])
    quiet = run(capsysbinary, "backup", "verify", snapshot, "--quiet")
    assert (quiet.code, said(quiet)) == (0, "")
    database = max(snapshot.iterdir(), key=lambda path: path.stat().st_size)
    database.write_bytes(database.read_bytes()[:-100])
    damaged = run(capsysbinary, "backup", "verify", snapshot, "--quiet")
    assert (damaged.code, said(damaged) != "") == (13, True)
