"""What queries about people promise: a birth date, and whom a picture shows."""

from __future__ import annotations

import pytest

from tests.cli.promises.house import House, promises
from tests.face_rows import FaceRows
from tests.rows import library_in
from tests.tiny_faces import MODEL_ID, install_tiny_faces, write_faces

MIDDLE, OTHER = (200, 100, 300, 200), (60, 60, 160, 160)

NOT_BORN = "{} has no birth date; give it with: photoindex people born {} DATE"


@promises(NOT_BORN)
def test_a_birth_date_is_given_before_somebody_has_an_age(house: House) -> None:
    house.photos.mkdir()
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos)
        rows.add_person("Anna Berg", rows.add_photos_of("a", 2, taken_at="2015-06-01T10:00:00"))
    house.follow(NOT_BORN, house.run("search", "age:Anna Berg<6", code=2), DATE="2012-05")
    assert len(house.run("search", "age:Anna Berg<6").splitlines()) == 2


PERSON_OF_VIEW = "number of the person, as in `photoindex people show PERSON`"


@promises(PERSON_OF_VIEW)
def test_the_number_in_the_view_of_people_is_the_one_that_commands_take(house: House) -> None:
    house.photos.mkdir()
    with library_in(house.library) as library:
        FaceRows(library, house.photos).add_person("Anna")
    assert "1" in house.run("sql", "SELECT id FROM v_person")
    assert "Anna (person 1)" in house.follow(PERSON_OF_VIEW, house.run("sql", "--views"), PERSON="1")


@pytest.fixture
def with_pack(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Three scanned photos with faces, and the tiny face pack."""
    monkeypatch.setenv("PHOTOINDEX_FACES__DEVICE", "cpu")
    for number in range(3):
        write_faces(house.photos / f"a {number}.jpg", {MIDDLE: 1, OTHER: 2 + number}, seed=number)
    house.run("scan", house.photos)
    install_tiny_faces(house.library)
    return house


NO_FACES = "no faces were found in the library yet; run: photoindex faces"
SEVERAL = "{} shows {} faces, and one is needed; to see who they are: photoindex people find {}"
NOBODY = "the face in {} is not enough like anybody; for the nearest people: photoindex people find {}"


@promises(NO_FACES, SEVERAL, NOBODY)
def test_faces_are_looked_for_and_told_apart_before_a_picture_finds_somebody(with_pack: House) -> None:
    house = with_pack
    stranger = write_faces(house.folder / "a stranger.jpg", {MIDDLE: 20}, seed=9)
    house.follow(NO_FACES, house.run("search", f"face:{stranger}", code=11))
    with library_in(house.library) as library, library.database.read() as connection:
        faces = [row[0] for row in connection.exec_driver_sql("SELECT id FROM region WHERE x > 0.2")]
    house.run("people", "list")
    with library_in(house.library) as library:
        rows = FaceRows.__new__(FaceRows)
        rows.library = library
        rows.add_person("Anna", faces)
    said = house.run("search", f"face:{house.photos / 'a 0.jpg'}", code=2)
    assert "Anna" in house.follow(SEVERAL, said)
    house.follow(NOBODY, house.run("search", f"face:{stranger}", code=11), code=11)


def test_faces_are_described_anew_by_the_installed_version(with_pack: House) -> None:
    house = with_pack
    with library_in(house.library) as library:
        rows = FaceRows(library, house.photos, model=MODEL_ID)
        rows.add_person("Anna", [rows.add_face(rows.asset_of(1), rows.next_face("anna"))])
    picture = write_faces(house.folder / "me.jpg", {MIDDLE: 1}, seed=8)
    said = house.run("people", "find", picture, code=7)
    assert "another version of 'tiny-faces' than the installed one; describe them again: photoindex faces" in said
    house.run("faces")
    assert "not enough like anybody" in house.run("people", "find", picture, code=11)
