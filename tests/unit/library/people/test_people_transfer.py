"""People are exported, and imported into another library by the digests of photos and the boxes of faces."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from photoindex.domain.people.values import How
from photoindex.errors import UsageError
from photoindex.library.maintenance.journal import log, undo
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.people import list_people
from photoindex.library.people.transfer.export import export_people
from photoindex.library.people.transfer.import_people import Imported, import_people
from photoindex.store.schema.tables import individual, region, rejection
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], FaceRows]]:
    """Make libraries with the same five photos, each with one face."""
    with ExitStack() as stack:

        def made(name: str) -> FaceRows:
            (tmp_path / name).mkdir()
            rows = FaceRows(stack.enter_context(library_in(tmp_path / f"library {name}")), tmp_path / name)
            for number in range(5):
                rows.add_face_photo(f"{number}.jpg", "a", taken_at="2015-06-01T10:00:00")
            return rows

        yield made


def export(rows: FaceRows, tmp_path: Path) -> Path:
    file = tmp_path / "people.jsonl"
    file.write_bytes(b"".join(export_people(rows.library)))
    return file


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def why(done: Imported) -> list[str]:
    return [one.why for one in done.left_out]


def test_names_dates_faces_and_rejections_arrive_in_another_library(
    make: Callable[[str], FaceRows], tmp_path: Path
) -> None:
    here = make("here")
    anna = here.add_person("Anna", [1, 2])
    here.add_person("Bea", [3], how=How.CLUSTER)
    here.reject(anna, [3])
    attributes.set_birth(here.library, "Anna", "2010-03")
    attributes.set_cover(here.library, "Anna", "f2")
    attributes.keep_apart(here.library, "Anna", "Bea")
    attributes.set_repeats(here.library, ["name:4.jpg"])
    file = export(here, tmp_path)
    assert {one["schema"] for one in lines(file)} == {1}
    there = make("there")
    there.add_person(None, [5])
    done = import_people(there.library, file)
    assert (done.people, done.faces, done.rejections, done.left_out) == (2, 3, 1, [])
    assert next(iter(log(there.library))).summary.startswith("imported 2 people, 3 faces and 1 rejection from ")
    people = {one.person.name: one for one in list_people(there.library).people}
    assert (people["Anna"].person.born, people["Anna"].cover_id, people["Anna"].summary.confirmed) == ("2010-03", 2, 2)
    assert (there.how(1), there.how(3)) == ("confirmed", "cluster")
    with there.library.database.read() as connection:
        assert len(connection.execute(select(rejection.c.region_id)).all()) == 1
    assert import_people(there.library, file).entry_id is None
    undo(there.library, done.entry_id)
    assert there.groups() == [[5]]


def test_groups_without_a_name_keep_together_and_are_found_again(
    make: Callable[[str], FaceRows], tmp_path: Path
) -> None:
    here = make("here")
    here.add_person(None, [1, 2])
    file = export(here, tmp_path)
    there = make("there")
    group = there.add_person(None, [1, 2, 3], how=How.CLUSTER)
    import_people(there.library, file)
    assert there.groups() == [[1, 2, 3]]
    assert (there.how(1), there.how(3)) == ("confirmed", "cluster")
    assert set(there.people().values()) == {group}


def test_what_was_decided_here_stays_and_lines_that_contradict_are_named(
    make: Callable[[str], FaceRows], tmp_path: Path
) -> None:
    here = make("here")
    here.add_person("Anna", [1, 2, 3, 4])
    file = export(here, tmp_path)
    there = make("there")
    bea = there.add_person("Bea", [1])
    anna = there.add_person("Anna")
    there.reject(anna, [2])
    there.set_person(anna, born="2016")
    with there.writing() as connection:
        connection.execute(update(region).where(region.c.id == 3).values(x=0.7))
    done = import_people(there.library, file)
    assert sorted(why(done)) == [
        f"f1 is Bea ({bea}) in this library",
        f"f4 cannot be Anna ({anna}): it was taken before the birth (2015-06-01, born 2016)",
        "no face was found at this place of the photo",
        f"you said that f2 is not Anna ({anna})",
    ]
    assert there.groups() == [[1]]


def test_a_photo_that_is_not_here_is_named_by_line(make: Callable[[str], FaceRows], tmp_path: Path) -> None:
    here = make("here")
    here.add_person("Anna", [1])
    file = export(here, tmp_path)
    content = file.read_text().replace("0" * 63 + "1", "f" * 64)
    file.write_text(content)
    done = import_people(make("there").library, file)
    assert [(one.line, one.why) for one in done.left_out] == [(2, "its photo is not in this library")]


def test_a_dry_run_changes_nothing(make: Callable[[str], FaceRows], tmp_path: Path) -> None:
    here = make("here")
    here.add_person("Anna", [1])
    there = make("there")
    done = import_people(there.library, export(here, tmp_path), dry_run=True)
    assert (done.entry_id, done.faces, there.people()) == (None, 1, {})


FACE = {"schema": 1, "type": "face", "person": 1, "digest": "0" * 63 + "1", "box": [0.02, 0.2, 0.1, 0.15]}
ANNA = {"schema": 1, "type": "person", "id": 1, "name": "Anna"}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 3: Expecting"),
        ("[]", "line 3: it is no JSON object"),
        ({"schema": 2}, "line 3: its schema is not 1"),
        ({"schema": 1}, "line 3: 'type' is missing"),
        ({"schema": 1, "type": "cat"}, "line 3: 'cat' is no type of line"),
        (FACE | {"person": 7}, "line 3: no line says who person 7 is"),
        (FACE | {"box": [0, 0, 1]}, "line 3: box is not four fractions"),
        (FACE | {"digest": "12"}, "line 3: digest is not 64"),
        (FACE | {"how": "guess"}, "line 3: how is neither"),
        (ANNA | {"id": 2, "name": "a,b"}, "line 3: a name must not contain a comma"),
        (ANNA | {"id": 2, "name": "ANNA"}, "line 3: line 1 is another person with the name ANNA"),
        (ANNA | {"id": 1, "name": "B"}, "line 3: person 1 is there twice"),
        (ANNA | {"id": 2, "name": "B", "born": "1.3.2015"}, "line 3: '1.3.2015' is no date"),
        (ANNA | {"id": 2, "name": "B", "born": "9999-01"}, "line 3: 9999-01 is in the future"),
        (ANNA | {"id": 2, "name": "B", "kind": "\ud800"}, "line 3: kind is not 'person'"),
        (ANNA | {"id": 2, "name": "B", "kind": "pet"}, "line 3: kind is not 'person'"),
        (
            ANNA | {"id": 2, "name": "B", "born": "2015", "died": "1998-03"},
            r"line 3: the death \(1998-03\) is before the birth \(2015\)",
        ),
        ({"schema": 1, "type": "apart", "persons": [1]}, "line 3: persons are not two numbers"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(
    make: Callable[[str], FaceRows], tmp_path: Path, bad: object, said: str
) -> None:
    rows = make("here")
    file = tmp_path / "people.jsonl"
    third = bad if isinstance(bad, str) else json.dumps(bad)
    file.write_text("\n".join([json.dumps(ANNA), json.dumps(FACE), third]))
    with pytest.raises(UsageError, match=rf"people\.jsonl, {said}.*nothing was changed"):
        import_people(rows.library, file)
    with rows.library.database.read() as connection:
        assert connection.execute(select(individual.c.id)).all() == []


def test_a_changed_name_still_means_the_person_in_metadata(make: Callable[[str], FaceRows], tmp_path: Path) -> None:
    here = make("here")
    anna = here.add_person("Anna", [1])
    other = here.add_person("Ännchen", [2])
    changes.merge(here.library, str(anna), [str(other)])
    there = make("there")
    import_people(there.library, export(here, tmp_path))
    (found,) = list_people(there.library).people
    assert found.person.name == "Anna"
    assert [one["names"] for one in lines(tmp_path / "people.jsonl") if one["type"] == "person"] == [["annchen"]]


def test_a_death_before_the_birth_that_is_known_here_is_left_out(
    make: Callable[[str], FaceRows], tmp_path: Path
) -> None:
    rows = make("here")
    anna = rows.add_person("Anna", [1])
    rows.set_person(anna, born="2015")
    file = tmp_path / "people.jsonl"
    file.write_text(json.dumps({"schema": 1, "type": "person", "id": 1, "name": "Anna", "died": "1998"}))
    assert why(import_people(rows.library, file)) == [f"Anna ({anna}) cannot have died (1998) before the birth (2015)"]
    (found,) = list_people(rows.library).people
    assert (found.person.born, found.person.died) == ("2015", None)


def test_what_is_no_regular_file_is_not_read(make: Callable[[str], FaceRows], tmp_path: Path) -> None:
    pipe = tmp_path / "export.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        import_people(make("one").library, pipe)
