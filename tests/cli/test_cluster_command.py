"""`photoindex cluster` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from tests.command_line import CommandResult, run, run_on_terminal
from tests.face_rows import FaceRows
from tests.rows import library_in

Command = Callable[..., CommandResult]


@pytest.fixture
def command(library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    def execute(*words: str, code: int = 0) -> CommandResult:
        done = run(capsysbinary, "--library", library_folder, "cluster", *words)
        assert done.code == code, done.err
        return done

    return execute


@pytest.fixture
def faces(library_folder: Path, tmp_path: Path) -> dict[int, list[int]]:
    """A library with faces of four people, not grouped yet: person -> faces."""
    with library_in(library_folder) as library:
        rows = FaceRows(library, tmp_path / "originals")
        return {person: rows.add_photos_of(person, 5) for person in range(4)}


@pytest.fixture
def grouped(faces: dict[int, list[int]], command: Command) -> dict[int, list[int]]:
    command("--progress", "none")
    return faces


@pytest.mark.usefixtures("faces")
def test_the_summary_is_on_stderr_and_says_what_was_done(command: Command) -> None:
    done = command("--progress", "none")
    assert done.out == b""
    first, changed, people, after = done.err.decode().splitlines()
    assert first.startswith("all 20 faces grouped in ")
    assert first.endswith("faces are grouped for the first time")
    assert changed == "of the faces, 20 are in 4 new groups"
    assert people == "4 people: 0 named, 4 unnamed; 20 faces in groups, 0 waiting"
    assert after == "name them: photoindex people review"
    assert command("--progress", "none").err.decode().startswith("no new faces to group\n")


@pytest.mark.usefixtures("faces")
def test_the_summary_is_one_object_in_json(command: Command) -> None:
    (line,) = command("--json").json
    assert (line["schema"], line["full"], line["groups"], line["people"], line["dry_run"]) == (1, True, 4, 4, False)


@pytest.mark.usefixtures("faces")
def test_progress_has_the_phases(command: Command) -> None:
    said = command("--progress", "plain").err.decode()
    phases = [line.partition(":")[0] for line in said.splitlines() if line.endswith(" 20 faces")]
    assert phases == ["loading", "calibrating", "neighbours", "grouping", "writing"]


def test_a_library_without_faces_is_an_error_that_names_the_remedy(library_folder: Path, command: Command) -> None:
    with library_in(library_folder):
        pass
    assert command(code=11).err == b"photoindex: no faces were found yet; run: photoindex faces\n"
    assert command("stats", code=11).out == b""
    assert command("calibrate", code=11).out == b""


def test_the_difference_goes_with_a_dry_run_only(command: Command) -> None:
    assert b"--diff goes with --dry-run" in command("--diff", code=2).err


def test_the_difference_says_what_would_change_for_whom(
    library_folder: Path, tmp_path: Path, grouped: dict[int, list[int]], command: Command
) -> None:
    with library_in(library_folder) as library:
        rows = FaceRows(library, tmp_path / "originals")
        before = rows.people()
        anna = rows.add_person("Anna", grouped[0][:3], how=How.CLUSTER)
    lines = command("--full", "--dry-run", "--diff", "--json").json
    zero = before[grouped[0][4]]
    (line,) = lines
    assert line["change"] == "merged"  # nobody keeps the number of the two
    assert {line["person"], line["before_person"]} == {anna, zero}
    assert line["faces"] == len(line["examples"]) == len(line["paths"]) == 2
    assert line["before"] == str(zero)
    assert (line["after"], line["name"]) == (f"{anna} Anna", "Anna")
    assert set(line["examples"]) == {f"f{face}" for face in grouped[0][3:]}
    assert set(line["paths"]) == {f"{tmp_path}/originals/photos/0-{number}.jpg" for number in (3, 4)}
    plain = command("--full", "--dry-run", "--diff").out.decode()
    assert plain.startswith(f"merged\t2\t{zero}\t{anna} Anna\tf")
    shown = run_on_terminal("--library", library_folder, "cluster", "--full", "--dry-run", "--diff").out.decode()
    assert "Change" in shown
    assert "0-4.jpg" in shown
    summary = command("--full", "--dry-run", "--progress", "none")
    assert summary.out == b""
    assert "would move" in summary.err.decode()


@pytest.mark.usefixtures("grouped")
def test_stats_are_shown_as_sections_as_json_and_as_csv(command: Command) -> None:
    said = command("stats", "--progress", "none").out.decode()
    assert "people      4: 0 named, 4 unnamed" in said
    assert "Suspicious" not in said  # an empty section
    library, *people = command("stats", "--json").json
    assert (library["what"], library["faces"], library["waiting"]) == ("library", 20, 0)
    assert [(one["what"], one["faces"], one["suspicious"]) for one in people] == [("person", 5, False)] * 4
    header, *rows = command("stats", "--csv").out.decode().splitlines()
    assert header.startswith("person,name,ignored,faces")
    assert len(rows) == 4


def test_calibration_says_what_it_was_measured_on_and_is_stored(
    library_folder: Path, tmp_path: Path, faces: dict[int, list[int]], command: Command
) -> None:
    (without,) = command("calibrate", "--json").json
    assert (without["source"], without["named_faces"], without["precision"]) == ("random", 0, None)
    with library_in(library_folder) as library:
        rows = FaceRows(library, tmp_path / "originals")
        for person, some in faces.items():
            rows.add_person(f"P{person}", some)
    (named,) = command("calibrate", "--json").json
    assert named["named_faces"] == 20
    assert named["recall"]["share"] == named["precision"]["share"] == 1.0
    assert named["recall"]["low"] < 0.9  # so few faces say little
    said = command("calibrate", "--progress", "none").out.decode()
    assert "20 faces, 20 named by you" in said
    assert "precision: 1.0000 (" in said
    assert named["thresholds"]["possible"] < named["thresholds"]["join"] < named["thresholds"]["sure"]
