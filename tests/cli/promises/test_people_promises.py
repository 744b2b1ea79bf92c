"""What `people` promises: whom to name instead, and how to take a decision back."""

from __future__ import annotations

import json
import re

import pytest

from photoindex.domain.people.values import How
from tests.cli.promises.house import House, promises
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def peopled(house: House) -> House:
    """A library with Anna (1, faces 1 to 3), Bea (2, faces 4 and 5), a group without a name (3, faces 6 to 9) and nobody (faces 10, 11)."""
    house.photos.mkdir()
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        rows.add_root()
        rows.add_person("Anna", rows.add_photos_of("a", 3, folder="photos of a"))
        rows.add_person("Bea", rows.add_photos_of("b", 2))
        group = rows.add_photos_of("c", 4, taken_at="2015-06-01T10:00:00")
        rows.add_person(None, group, how=How.CLUSTER)
        rows.add_face_photo("my collage.jpg", "x", "x")
    return house


def listed(house: House, *options: str) -> dict[int, dict[str, object]]:
    """Return people by number."""
    lines = house.run("people", "list", "--json", *options).splitlines()
    return {one["id"]: one for one in map(json.loads, lines) if "id" in one}


TAKEN = "the name {} is taken by person {}; if both are the same person, run: photoindex people merge {} {}"
MERGED = "{}; take it back with: photoindex undo {}"


@promises(TAKEN, MERGED)
def test_a_name_that_is_taken_is_that_of_a_person_to_merge_with(peopled: House) -> None:
    said = peopled.follow(TAKEN, peopled.run("people", "name", "3", "ANNA", code=2))
    assert listed(peopled)[1]["faces"] == 7
    peopled.follow(MERGED, said)
    assert listed(peopled)[1]["faces"] == 3


NO_NUMBER = "there is no person {}; see: photoindex people list --all"
NO_NAME = "see: photoindex people list"
NO_FACE = "'{}' is no {}: a {} is written f123; see: photoindex people show PERSON"
NOT_THEIRS = "{} is no face of {}; see: photoindex people show {}"


@promises(NO_NUMBER, NO_NAME, NO_FACE, NOT_THEIRS)
def test_people_and_faces_are_looked_up_where_the_message_says(peopled: House) -> None:
    assert "Anna" in peopled.follow(NO_NUMBER, peopled.run("people", "show", "99", code=11))
    assert "Anna" in peopled.follow(NO_NAME, peopled.run("people", "show", "Quentin", code=11))
    shown = peopled.follow(NO_FACE, peopled.run("people", "reject", "Anna", "1", code=2), PERSON="Anna")
    assert "3 confirmed" in shown
    assert "person 3" in peopled.follow(NOT_THEIRS, peopled.run("people", "split", "3", "f1", code=2))


MORE = "{} more {} no name; list all with: photoindex people list --all"


@promises(MORE)
def test_all_groups_without_a_name_are_listed_where_the_message_says(peopled: House) -> None:
    assert "3\t\t4" in peopled.follow(MORE, peopled.run("people", "list", "-n", "0"))


ALL_FACES = "nothing would be left; to call all of them otherwise: photoindex people name {} NAME"


@promises(ALL_FACES)
def test_all_faces_are_not_split_off_but_named(peopled: House) -> None:
    said = peopled.run("people", "split", "Bea", "f4", "f5", code=2)
    peopled.follow(ALL_FACES, said, NAME="Zoë")
    assert listed(peopled)[2]["name"] == "Zoë"


STRANGER = "{} is ignored as a stranger; first run: photoindex people ignore --off {}"
NO_STRANGER = "{} has a name, and strangers have none; to leave out their photos, run: photoindex people hide {}"
NO_STRANGERS_FACE = "{} is no stranger's; see: photoindex people list --ignored"


@promises(STRANGER, NO_STRANGER, NO_STRANGERS_FACE)
def test_strangers_are_taken_back_before_they_get_a_name(peopled: House) -> None:
    peopled.run("people", "ignore", "3")
    for command in (["name", "3", "Cleo"], ["merge", "Anna", "3"]):
        said = peopled.run("people", *command, code=2)
    assert "3\t\t4" in peopled.follow(NO_STRANGERS_FACE, peopled.run("people", "ignore", "--off", "f1", code=2))
    peopled.follow(STRANGER, said)
    peopled.run("people", "name", "3", "Cleo")
    peopled.follow(NO_STRANGER, peopled.run("people", "ignore", "Cleo", code=2))
    assert listed(peopled)[3]["hidden"]


NOT_A_FACE_OF = "{} is no face of {}; if it is, first run: photoindex people confirm {} {}"


@promises(NOT_A_FACE_OF)
def test_a_cover_is_confirmed_before_it_is_chosen(peopled: House) -> None:
    peopled.follow(NOT_A_FACE_OF, peopled.run("people", "cover", "Anna", "f4", code=2))
    peopled.run("people", "cover", "Anna", "f4")
    assert listed(peopled)[1]["cover"] == "f4"


APART = "you said that {} and {} are not the same; if that was wrong, first run: photoindex people apart --off {} {}"
REJECTED = "you said that {}{} {} not {}; if that was wrong, first run: photoindex people confirm {} {}"


@promises(APART, REJECTED)
def test_people_are_merged_after_what_keeps_them_apart_is_taken_back(peopled: House) -> None:
    peopled.run("people", "apart", "Anna", "Bea")
    peopled.run("people", "reject", "Anna", "f4", "f5")
    peopled.run("people", "confirm", "3", "f4")
    peopled.run("people", "confirm", "Bea", "f5")
    peopled.follow(APART, peopled.run("people", "merge", "Anna", "Bea", code=2))
    peopled.follow(REJECTED, peopled.run("people", "merge", "Anna", "Bea", code=2))
    peopled.run("people", "merge", "Anna", "3", code=2)


BORN = "photoindex people born {} DATE"
DIED = "photoindex people died {} DATE"
DATES = "correct the date with: {}, or the photo's with: photoindex time set {} --to WHEN"
DOUBTFUL = "{} confirmed, but by this date not {}; see: photoindex people show {}"
DATE = "give a date such as 1974-06, or --off for an unknown one"


@promises(BORN, DIED, DATES, DOUBTFUL, DATE)
def test_dates_are_corrected_where_a_photo_contradicts_them(peopled: House) -> None:
    peopled.run("people", "born", "Anna", "2016")
    said = peopled.run("people", "confirm", "Anna", "f6", code=2)
    peopled.follow(DATES, said, DATE="2016", WHEN="2017-01-01")
    peopled.run("people", "confirm", "Anna", "f6")
    said = peopled.run("people", "confirm", "Anna", "f7", code=2)
    peopled.follow(BORN, said, DATE="2010", WHEN="2015-06-01")
    peopled.run("people", "confirm", "Anna", "f7")
    shown = peopled.follow(DOUBTFUL, peopled.run("people", "died", "Anna", "2012"))
    assert "after the death" in shown
    said = peopled.run("people", "confirm", "Anna", "f8", code=2)
    peopled.follow(DIED, said, DATE="2020", WHEN="2015-06-01")
    peopled.run("people", "confirm", "Anna", "f8")
    peopled.excerpt(DATE, peopled.run("people", "died", "Anna", code=2))
    peopled.run("people", "died", "Anna", "--off")
    peopled.run("people", "born", "Bea", "2011")
    peopled.run("people", "died", "Bea", "2012")
    said = peopled.run("people", "merge", "Anna", "Bea", code=2)
    assert re.search("born 2010, .*born 2011", said)
    peopled.follow("photoindex people born {} DATE", said, DATE="2010")
    peopled.run("people", "died", "Anna", "2013")
    peopled.follow("photoindex people died {} DATE", peopled.run("people", "merge", "Bea", "Anna", code=2), DATE="2012")


TWICE = "for a collage, a mirror or a photo of photos, first run: photoindex people repeats {}"


@promises(TWICE)
def test_a_photo_that_shows_somebody_twice_is_declared_first(peopled: House) -> None:
    said = peopled.run("people", "confirm", "Anna", "f10", "f11", code=2)
    peopled.follow(TWICE, said)
    peopled.run("people", "confirm", "Anna", "f10", "f11")


LEFT_OUT = "{} more lines were left out; --json lists them all"


@promises(LEFT_OUT)
def test_lines_that_are_not_imported_are_all_in_json(peopled: House) -> None:
    face = {"schema": 1, "type": "face", "person": 1, "digest": "f" * 64, "box": [0, 0, 1, 1]}
    file = peopled.folder / "people.jsonl"
    person = {"schema": 1, "type": "person", "id": 1, "name": "Zoë"}
    file.write_text("\n".join(map(json.dumps, [person, *[face] * 25])))
    peopled.excerpt(LEFT_OUT, peopled.run("people", "import", file))
    found = json.loads(peopled.run("people", "import", "--json", file))
    assert len(found["left_out"]) == 25


NOBODY = "there is nobody to list; to group faces into people, run: photoindex cluster"


@promises(NOBODY)
def test_people_are_found_by_grouping_faces(house: House) -> None:
    house.photos.mkdir()
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        for person in "abcdefgh":
            rows.add_photos_of(person, 6)
    house.follow(NOBODY, house.run("people", "list"))
    assert len(listed(house)) == 8


SUGGESTED = "photoindex people merge {} {}"


@promises(SUGGESTED)
def test_a_suggestion_is_followed_by_its_command(house: House) -> None:
    house.photos.mkdir()
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        for number in range(20):
            rows.add_person(None, rows.add_photos_of(f"other {number}", 2), how=How.CLUSTER)
        rows.add_person("Anna", rows.add_photos_of("a", 4))
        rows.add_person(None, rows.add_photos_of("a", 4), how=How.CLUSTER)
    (suggested,) = house.result("people", "suggest", "--json").json
    house.follow(SUGGESTED, suggested["command"])
    assert listed(house, "--named")[21]["faces"] == 8
