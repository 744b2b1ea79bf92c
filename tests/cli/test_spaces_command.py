"""`photoindex spaces`: listing, switching, dropping, and scoring with the tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.library.spaces.probe_texts import VERSION
from photoindex.store.vectors import spaces
from tests.command_line import run
from tests.fault import faulty_encoder
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.unit.library.spaces.test_spaces import embed_with


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """A library of three photos with the spaces `first` (active) and `second`."""
    write_photos(tmp_path / "photos", 3)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    for model in ("first", "second"):
        faulty_encoder.install(runner.folder / "models", model)
        embed_with(runner, model)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    return runner


def test_list_prints_each_space_in_a_pipe_and_as_json(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(capsysbinary, "spaces", "list").out == b"first\ttrue\t3\t0\nsecond\tfalse\t3\t0\n"
    first, second = run(capsysbinary, "spaces", "list", "--json").json
    assert first["schema"] == 1
    assert (first["name"], first["in_use"], first["dim"], first["installed"]) == ("first", True, 16, True)
    assert (second["model"], second["vectors"], second["lacking"], second["given_up"]) == ("second", 3, 0, 0)


def test_list_says_which_calibrations_are_outdated(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with runner.open() as library, library.database.write() as connection:
        first, second = spaces.all_spaces(connection)
        measured = {"format": 1, "texts": None, "photos": None, "vectors": 3, "sampled": 3, "probes": VERSION}
        spaces.calibrate(connection, first.id, measured)
        spaces.calibrate(connection, second.id, measured | {"probes": VERSION - 1})
    ran = run(capsysbinary, "spaces", "list", "--json")
    assert [one["calibration"] for one in ran.json] == ["current", "outdated"]
    assert ran.err == b"the calibration of second is outdated; the next search or embed measures it again\n"


def test_use_switches_and_says_so(runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "spaces", "use", "second")
    assert (ran.code, ran.out, ran.err) == (0, b"", b"search now uses the space second (model second)\n")
    assert runner.rows("SELECT name FROM space WHERE active = 1") == [("second",)]
    assert run(capsysbinary, "spaces", "use", "third").code == 11


def test_use_of_an_incomplete_space_says_how_many_are_not_embedded(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    write_photos(tmp_path / "photos", 2, first=10)
    runner.scan(tmp_path / "photos")
    ran = run(capsysbinary, "spaces", "use", "second")
    assert ran.code == 2
    assert b"2 pictures are not embedded in the space 'second'" in ran.err
    assert run(capsysbinary, "spaces", "use", "second", "--force").code == 0


def test_drop_asks_for_confirmation_unless_yes_is_given(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "spaces", "drop", "first")
    assert ran.code == 2
    assert b"Remove the space first, which search uses, with all its vectors?" in ran.err
    assert b"--dry-run" not in ran.err
    ran = run(capsysbinary, "spaces", "drop", "first", "--yes", "--progress", "none")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.startswith(b"removed the space first with 3 vectors\n")
    assert b"no space is active now" in ran.err
    (step,) = [one for one in run(capsysbinary, "status", "--json").json[0]["next"] if "spaces" in one["command"]]
    assert step["command"] == "photoindex spaces use second"
    ran = run(capsysbinary, "spaces", "drop", "second", "-y", "--progress", "none")
    assert b"no space is active now" not in ran.err
    assert run(capsysbinary, "spaces", "list").out == b""
