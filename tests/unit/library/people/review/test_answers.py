"""Answers of a sitting: applied together or not at all, checked against the library as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from photoindex.domain.people.values import How
from photoindex.library.handle import Library
from photoindex.library.maintenance.journal import log, undo
from photoindex.library.people.decisions import changes
from photoindex.library.people.review.answers import AnswersRefused, Applied, apply_answers
from photoindex.store.schema.tables import assignment, individual, individuals_apart, rejection
from tests.face_rows import FaceRows
from tests.rows import library_in

TABLES = (individual, assignment, rejection, individuals_apart)


class Sitting:
    """A library with Anna (confirmed), Ben, and unnamed groups; applies answers to it."""

    def __init__(self, library: Library, originals: Path) -> None:
        self.library = library
        self.rows = FaceRows(library, originals)
        self.anna_faces = self.rows.add_photos_of("anna", 3)
        self.anna = self.rows.add_person("Anna", self.anna_faces)
        self.ben_faces = self.rows.add_photos_of("ben", 3)
        self.ben = self.rows.add_person("Ben", self.ben_faces, how=How.CLUSTER)
        self.faces = self.rows.add_photos_of("carl", 4)
        self.group = self.rows.add_person(None, self.faces, how=How.CLUSTER)
        self.other_faces = self.rows.add_photos_of("dora", 4)
        self.other = self.rows.add_person(None, self.other_faces, how=How.CLUSTER)

    def apply(self, *answers: dict[str, Any] | str, **options: Any) -> Applied:
        lines = (one if isinstance(one, str) else json.dumps({"schema": 1} | one) for one in answers)
        return apply_answers(self.library, "\n".join(lines).encode(), "answers.jsonl", **options)

    def refused(self, *answers: dict[str, Any] | str) -> list[tuple[int, str]]:
        """Apply answers that must be refused; return the problems, and check that nothing changed."""
        before = self.everything()
        with pytest.raises(AnswersRefused) as refusal:
            self.apply(*answers)
        assert self.everything() == before
        return [(one.line, one.reason) for one in refusal.value.problems]

    def everything(self) -> list[Any]:
        with self.library.database.read() as connection:
            return [sorted(map(tuple, connection.execute(select(table))), key=str) for table in TABLES]

    def names(self) -> dict[int, str | None]:
        with self.library.database.read() as connection:
            return {row.id: row.name for row in connection.execute(select(individual.c.id, individual.c.name))}

    def rejected(self) -> set[tuple[int, int]]:
        with self.library.database.read() as connection:
            return {(row.region_id, row.individual_id) for row in connection.execute(select(rejection))}


def f(*faces: int) -> list[str]:
    return [f"f{face}" for face in faces]


@pytest.fixture
def sitting(library_folder: Path, tmp_path: Path) -> Iterator[Sitting]:
    with library_in(library_folder) as library:
        yield Sitting(library, tmp_path / "originals")


def whole(sitting: Sitting) -> list[dict[str, Any]]:
    """One answer of each kind."""
    one, two, three, four = sitting.faces
    first, *rest = sitting.other_faces
    return [
        {"do": "reject", "faces": f(four), "person": sitting.group},
        {"do": "name", "person": sitting.group, "name": "Carl", "faces": f(one, two)},
        {"do": "name", "faces": f(three), "from": sitting.group, "name": "Emil"},
        {"do": "confirm", "faces": f(first), "from": sitting.other, "person": "Ben"},
        {"do": "merge", "person": sitting.other, "into": "Anna", "faces": f(*rest)},
        {"do": "confirm", "person": sitting.ben, "faces": f(*sitting.ben_faces[:2])},
        {"do": "apart", "person": sitting.anna, "other": sitting.ben},
    ]


def test_a_sitting_is_applied_in_order_and_is_one_entry_of_the_journal(sitting: Sitting) -> None:
    done = sitting.apply(*whole(sitting))
    one, two, three, four = sitting.faces
    people = sitting.rows.people()
    names = sitting.names()
    assert names[sitting.group] == "Carl"
    assert [people.get(face) for face in (one, two, four)] == [sitting.group, sitting.group, None]
    assert names[people[three]] == "Emil"
    assert people[sitting.other_faces[0]] == sitting.ben
    assert {people[face] for face in sitting.other_faces[1:]} == {sitting.anna}
    assert sitting.other not in names
    assert (four, sitting.group) in sitting.rejected()
    confirmed = (one, two, three, *sitting.other_faces, *sitting.ben_faces[:2])
    assert {sitting.rows.how(face) for face in confirmed} == {"confirmed"}
    assert sitting.rows.how(sitting.ben_faces[2]) == "cluster"
    assert done.summary == "2 people named, 1 group merged, 9 faces confirmed, 1 face rejected, 1 pair kept apart"
    assert [entry.command for entry in log(sitting.library)] == ["people apply"]


def test_one_undo_takes_a_whole_sitting_back(sitting: Sitting) -> None:
    before = sitting.everything()
    sitting.apply(*whole(sitting))
    assert sitting.everything() != before
    undo(sitting.library)
    assert sitting.everything() == before


def test_the_same_answers_a_second_time_change_nothing(sitting: Sitting) -> None:
    answers = [
        *whole(sitting),
        {"do": "ignore", "person": sitting.rows.add_person(None, sitting.rows.add_photos_of(9, 2))},
    ]
    sitting.apply(*answers)
    after = sitting.everything()
    again = sitting.apply(*answers)
    assert (again.entry_id, again.summary) == (None, "")
    assert sitting.everything() == after


def test_answers_apply_again_after_they_were_undone(sitting: Sitting) -> None:
    sitting.apply(*whole(sitting))
    after = sitting.names()
    undo(sitting.library)
    sitting.apply(*whole(sitting))
    assert sorted(map(str, sitting.names().values())) == sorted(map(str, after.values()))


def test_a_trial_changes_nothing(sitting: Sitting) -> None:
    before = sitting.everything()
    assert sitting.apply(*whole(sitting), dry_run=True).summary
    assert sitting.everything() == before
    assert not list(log(sitting.library))


def test_a_group_merged_into_one_that_the_file_names_is_found_by_the_new_name(sitting: Sitting) -> None:
    answers = (
        {"do": "name", "person": sitting.group, "name": "Zoë"},
        {"do": "merge", "person": sitting.other, "into": "zoe"},
    )
    sitting.apply(*answers)
    assert {sitting.rows.people()[face] for face in (*sitting.faces, *sitting.other_faces)} == {sitting.group}
    assert sitting.apply(*answers).entry_id is None


def test_every_line_that_does_not_apply_is_reported_with_its_reason(sitting: Sitting) -> None:
    changes.merge(sitting.library, "Anna", [str(sitting.other)])
    gone = sitting.rows.add_photos_of("gone", 1)[0] + 1000
    problems = sitting.refused(
        {"do": "name", "person": sitting.group, "name": "Carl"},
        {"do": "name", "person": sitting.other, "name": "Dora", "faces": f(*sitting.other_faces)},
        {"do": "name", "person": sitting.ben, "name": "Bernd"},
        {"do": "confirm", "person": "Nobody", "faces": f(sitting.faces[0])},
        {"do": "confirm", "person": "Ben", "faces": f(gone)},
        {"do": "confirm", "person": "Ben", "faces": f(sitting.other_faces[0]), "from": sitting.group},
        {"do": "ignore", "person": sitting.anna},
    )
    assert problems == [
        (2, f"person {sitting.other} was merged into Anna ({sitting.anna})"),
        (3, f"person {sitting.ben} is called Ben now"),
        (4, "there is no person 'Nobody'; see: photoindex people list"),
        (5, f"there is no face f{gone}; another run over its picture may have replaced it"),
        (
            6,
            f"f{sitting.other_faces[0]} is no longer a face of Carl ({sitting.group}), but a face of Anna ({sitting.anna})",
        ),
        (
            7,
            (
                f"Anna ({sitting.anna}) has a name, and strangers have none; to leave out their photos, run: photoindex people "
                f"hide {sitting.anna}"
            ),
        ),
    ]


def test_of_very_many_lines_that_do_not_apply_the_first_are_listed_and_the_others_counted(sitting: Sitting) -> None:
    lines = b"\n".join(b"no answer" for _ in range(3_000))
    with pytest.raises(AnswersRefused) as refused:
        apply_answers(sitting.library, lines, "answers.jsonl")
    first, *listed, last = str(refused.value).splitlines()
    assert first.startswith("answers.jsonl: 3,000 of 3,000 answers do not apply")
    assert [line.split(":")[0] for line in listed] == [f"  line {number}" for number in range(1, 21)]
    assert last == "  and 2,980 more"


def test_a_name_that_somebody_got_since_is_refused(sitting: Sitting) -> None:
    ((line, reason),) = sitting.refused({"do": "name", "person": sitting.group, "name": "ANNA"})
    assert (line, f"the name ANNA is taken by person {sitting.anna}" in reason) == (1, True)
    answer = {"do": "name", "faces": f(sitting.faces[0]), "from": sitting.group, "name": "Anna"}
    ((_, reason),) = sitting.refused(answer)
    assert reason.startswith(f"the name Anna is taken by person {sitting.anna}")


def test_faces_that_left_the_group_since_are_refused(sitting: Sitting) -> None:
    changes.confirm(sitting.library, "Ben", f(sitting.faces[1]))
    changes.reject(sitting.library, str(sitting.group), f(sitting.faces[2]))
    for answer in (
        {"do": "name", "person": sitting.group, "name": "Carl", "faces": f(*sitting.faces)},
        {"do": "merge", "person": sitting.group, "into": "Anna", "faces": f(*sitting.faces)},
        {"do": "name", "faces": f(*sitting.faces[1:]), "from": sitting.group, "name": "Carl"},
    ):
        ((_, reason),) = sitting.refused(answer)
        assert reason == (
            f"f{sitting.faces[1]} is no longer a face of person {sitting.group}, but a face of Ben ({sitting.ben}), "
            "and 1 more are not either"
        )


def test_two_faces_in_one_photo_and_a_photo_before_the_birth_are_refused(sitting: Sitting) -> None:
    twins = sitting.rows.add_face_photo("twins.jpg", "one", "two")
    sitting.rows.assign(sitting.anna, twins[:1])
    baby = sitting.rows.add_face_photo("baby.jpg", "baby", taken_at="1990-05-01T10:00:00")
    sitting.rows.set_person(sitting.ben, born="2000")
    problems = sitting.refused(
        {"do": "confirm", "person": "Anna", "faces": f(twins[1])},
        {"do": "confirm", "person": "Ben", "faces": f(*baby)},
    )
    assert [line for line, _ in problems] == [1, 2]
    assert "twice in" in problems[0][1]
    assert "before the birth" in problems[1][1]


def test_a_sitting_with_one_bad_line_changes_nothing(sitting: Sitting) -> None:
    assert [line for line, _ in sitting.refused(*whole(sitting), {"do": "ignore", "person": 4711})] == [8]


def test_a_face_that_only_the_program_gave_to_a_person_makes_way_for_a_confirmed_one(sitting: Sitting) -> None:
    twins = sitting.rows.add_face_photo("twins.jpg", "one", "two")
    sitting.rows.assign(sitting.anna, twins[:1], how=How.CLUSTER)
    done = sitting.apply({"do": "confirm", "person": "Anna", "faces": f(twins[1])})
    assert list(done.notes) == [f"f{twins[0]} cannot be Anna ({sitting.anna}) too, and waits to be grouped"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("anna", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "it is no JSON: "),
        ("[]", "it is no JSON object, such as"),
        ('{"do": "name"}', 'it needs "schema": 1'),
        ('{"schema": 2, "do": "name"}', 'it needs "schema": 1'),
        ('{"schema": 1}', '"do" must be one of name, merge, confirm, reject, ignore, apart'),
        ('{"schema": 1, "do": ["name"]}', '"do" must be one of'),
        ('{"schema": 1, "do": "merge", "person": 1}', '"merge" needs "into"'),
        ('{"schema": 1, "do": "ignore", "person": 1, "nmae": "x"}', '"ignore" does not take "nmae"'),
        ('{"schema": 1, "do": "ignore", "person": true}', '"person" must be a person, by number or name'),
        ('{"schema": 1, "do": "ignore", "person": " "}', '"person" must be a person, by number or name'),
        ('{"schema": 1, "do": "reject", "person": 1, "faces": "f1"}', '"faces" must be a list of faces'),
        ('{"schema": 1, "do": "reject", "person": 1, "faces": []}', '"faces" must be a list of faces'),
        ('{"schema": 1, "do": "reject", "person": 1, "faces": ["1"]}', "'1' is no face: a face is written f123"),
        ('{"schema": 1, "do": "name", "name": "Anna"}', '"name" needs either "person"'),
        ('{"schema": 1, "do": "name", "name": "Anna", "from": 1}', '"name" with "from" needs "faces"'),
        ('{"schema": 1, "do": "name", "name": 5, "person": 1}', '"name" must be a text'),
        ('{"schema": 1, "do": "name", "name": "a,b", "person": 3}', "a name must not contain a comma"),
        ('{"schema": 1, "do": "name", "name": "a\\u0007b", "person": 3}', "a name must not contain control characters"),
        (f'{{"schema": 1, "do": "ignore", "person": "{"9" * 5000}"}}', "there is no person '999"),
        ('{"schema": 1, "do": "confirm", "person": 1, "from": 1}', '"from" goes with "faces"'),
    ],
)
def test_a_line_that_is_no_answer_is_reported(line: str, reason: str, sitting: Sitting) -> None:
    ((number, found),) = sitting.refused("", line, "")
    assert number == 2
    assert found.startswith(reason)


def test_a_script_may_write_one_face_and_names_in_any_case(sitting: Sitting) -> None:
    sitting.apply(f'\ufeff{{"schema": 1, "do": "confirm", "person": "ben", "face": "F{sitting.faces[0]}"}}', "\r")
    assert sitting.rows.people()[sitting.faces[0]] == sitting.ben


def test_all_faces_of_a_person_are_confirmed_where_none_is_named(sitting: Sitting) -> None:
    sitting.apply({"do": "confirm", "person": "Ben"})
    assert {sitting.rows.how(face) for face in sitting.ben_faces} == {"confirmed"}


def test_a_group_that_got_a_name_since_is_merged_only_by_its_name(sitting: Sitting) -> None:
    changes.name(sitting.library, str(sitting.group), "Carl")
    ((_, reason),) = sitting.refused({"do": "merge", "person": sitting.group, "into": "Anna"})
    assert reason == f"person {sitting.group} is called Carl now; to merge them all the same, write the name"
    assert sitting.apply({"do": "merge", "person": "Carl", "into": "Anna"}).summary == "1 group merged"
