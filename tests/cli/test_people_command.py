"""`photoindex people`: lists, details and changes as a person sees them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from tests.command_line import CommandResult, run
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceRows]:
    """A library with Anna, of 3 faces, and a group of 4 without a name."""
    (tmp_path / "originals").mkdir()
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    with library_in(tmp_path / "library") as library:
        found = FaceRows(library, tmp_path / "originals")
        found.add_person("Anna", found.add_photos_of("a", 3, taken_at="2019-05-01T10:00:00"))
        found.add_person(None, found.add_photos_of("b", 4, taken_at="2021-05-01T10:00:00"), how=How.CLUSTER)
        yield found


@pytest.fixture
def people(rows: FaceRows, capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[object]:
    def _people(*words: str, code: int = 0) -> CommandResult:
        result = run(capsysbinary, "people", *words)
        assert result.code == code, result.err
        return result

    return _people


def test_named_people_are_listed_first_then_groups_by_size(rows: FaceRows, people) -> None:
    small = rows.add_person(None, rows.add_photos_of("c", 1), how=How.CLUSTER)
    rows.set_person(small, born="2015")
    listed = people("list", "--json").json
    assert [(one["id"], one["name"], one["faces"], one["confirmed"]) for one in listed] == [
        (1, "Anna", 3, 3),
        (2, None, 4, 0),
        (3, None, 1, 0),
    ]
    assert {"schema", "photos", "first_at", "last_at", "cover", "born", "died", "hidden", "ignored"} <= set(listed[0])
    assert people("list").out.decode().splitlines() == ["1\tAnna\t3", "2\t\t4", "3\t\t1"]
    assert people("list", "--named").out.decode().splitlines() == ["1\tAnna\t3"]


def test_a_limit_of_groups_says_how_many_more_there_are(rows: FaceRows, people) -> None:
    rows.add_person(None, rows.add_photos_of("c", 1), how=How.CLUSTER)
    listed = people("list", "-n", "1")
    assert listed.out.decode().splitlines() == ["1\tAnna\t3", "2\t\t4"]
    assert listed.err.decode() == "1 more group has no name; list all with: photoindex people list --all\n"
    assert len(people("list", "--all").out.splitlines()) == 3


def test_a_person_is_shown_with_years_doubtful_faces_and_conflicts(rows: FaceRows, people) -> None:
    rows.set_person(1, born="2020")
    (shown,) = people("show", "anna", "--json").json
    assert shown["years"] == [{"year": "2019", "faces": 3}]
    assert {one["why"] for one in shown["conflicts"]} == {"it was taken before the birth (2019-05-01, born 2020)"}
    assert "cannot be right" in people("show", "Anna").out.decode()
    assert len(people("show", "2", "--faces", "--csv").out.splitlines()) == 5


def test_days_that_are_only_those_of_files_are_marked(rows: FaceRows, people) -> None:
    of_file = {"taken_at": "2022-03-01T10:00:00", "taken_at_source": "mtime"}
    rows.add_person("Copied", rows.add_photos_of("copied", 2, **of_file), how=How.CLUSTER)
    shown = people("show", "Copied").out.decode()
    assert shown.count("~2022-03-01") == shown.count("2022-03-01") == 4
    assert "~" not in people("show", "2").out.decode()


def test_the_help_groups_the_commands(people) -> None:
    text = people("--help").out.decode()
    places = [
        text.index(f" {panel} ")
        for panel in ("Look", "Name", "Correct", "Leave out", "Review", "Move to another library")
    ]
    assert places == sorted(places)


def test_changes_say_what_was_done_and_how_to_take_it_back(rows: FaceRows, people) -> None:
    said = people("merge", "Anna", "2").out.decode()
    assert said == "merged 2 (4 faces) into Anna (1); take it back with: photoindex undo 1\n"
    assert people("merge", "Anna", "1", code=2).err.decode().count("\n") == 1
    (done,) = people("reject", "Anna", "f1", "f2", "--json").json
    assert done == {"schema": 1, "entry": 2, "person": 1, "summary": "f1 f2 are not Anna (1)", "notes": []}
    assert people("reject", "Anna", "f1").out.decode() == "nothing to change\n"


def test_of_two_scripts_that_give_a_name_at_once_one_wins(rows: FaceRows) -> None:
    others = [rows.add_person(None, rows.add_photos_of(f"x{one}", 1), how=How.CLUSTER) for one in range(4)]
    commands = [[sys.executable, "-m", "photoindex", "people", "name", str(one), "Zoë"] for one in others]
    running = [subprocess.Popen(one, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for one in commands]
    ended = [(one.communicate()[1].decode(), one.returncode) for one in running]
    assert sorted(code for _, code in ended) == [0, 2, 2, 2]
    assert all("photoindex people merge" in said for said, code in ended if code)


def test_a_suggestion_names_the_command_that_follows_it(rows: FaceRows, people) -> None:
    for number in range(20):
        rows.add_person(None, rows.add_photos_of(f"other {number}", 2), how=How.CLUSTER)
    group = rows.add_person(None, rows.add_photos_of("a", 3), how=How.CLUSTER)
    (found,) = people("suggest", "--json").json
    assert (found["schema"], found["kind"], found["command"]) == (1, "alike", f"photoindex people merge 1 {group}")
    assert found["people"] == [{"id": 1, "name": "Anna", "faces": 3}, {"id": group, "name": None, "faces": 3}]
    assert set(found["examples"][0]) == {"face", "path", "other_face", "other_path", "cosine"}
    run_line = found["command"].removeprefix("photoindex people ").split()
    people(*run_line)
    assert people("suggest").err.decode().endswith("nobody looks like somebody else\n")
