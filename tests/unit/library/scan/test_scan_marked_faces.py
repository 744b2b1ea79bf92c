"""Faces marked in files and sidecars become faces of the photo, and their names people, at a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from photoindex.domain.people.boxes import Box, turned
from photoindex.pipeline.ingest.derived_files import preview_path
from tests.harness import LibraryRunner
from tests.marked_faces import SIZE, Marked, microsoft, mwg, picture, red_box, sidecar, write

ANNA, BEN = Marked("Anna", 0.1, 0.2), Marked("Ben", 0.6, 0.4)
FACES = """SELECT individual.name, assignment.how, region.schema FROM region
LEFT JOIN assignment ON assignment.region_id = region.id
LEFT JOIN individual ON individual.id = assignment.individual_id ORDER BY region.id"""


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    return LibraryRunner(tmp_path / "library")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def faces(runner: LibraryRunner) -> list[tuple[Any, ...]]:
    return runner.rows(FACES)


def change(runner: LibraryRunner, statement: str) -> None:
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_a_name_in_a_file_is_confirmed_at_the_scan(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA, BEN])))
    runner.scan(photos)
    assert faces(runner) == [("Anna", "metadata", "mwg"), ("Ben", "metadata", "mwg")]
    assert runner.value("SELECT faces FROM photo") == 2
    assert runner.value("SELECT size_px FROM region ORDER BY id LIMIT 1") == pytest.approx(120)


def test_a_photo_without_marks_has_no_faces_until_it_is_looked_through(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture())
    runner.scan(photos)
    assert runner.value("SELECT faces FROM photo") is None
    assert faces(runner) == []


SQUARE = Marked("Anna", 0.1, 0.2, 0.2, 0.25)


@pytest.fixture(scope="module")
def turned_photos(tmp_path_factory: pytest.TempPathFactory) -> LibraryRunner:
    """A library of pictures in every orientation with a face around a red square: of the stored, of the upright picture."""
    folder = tmp_path_factory.mktemp("turned")
    for orientation in range(1, 9):
        box = turned(Box(SQUARE.x, SQUARE.y, SQUARE.width, SQUARE.height), orientation)
        upright = mwg([Marked("Anna", box.x, box.y, box.width, box.height)], drawn=(SIZE[1], SIZE[0]))
        marks = {"mwg": mwg([SQUARE]), "mp": microsoft([SQUARE]), "upright": upright}
        for seed, (name, elements) in enumerate(marks.items()):
            data = picture(elements, square=SQUARE, orientation=orientation, seed=seed)
            write(folder / "photos" / name / f"{orientation}.jpg", data)
    runner = LibraryRunner(folder / "library")
    runner.scan(folder / "photos")
    return runner


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("schema", ["mwg", "mp"])
def test_a_region_of_the_stored_picture_is_turned_with_it(
    turned_photos: LibraryRunner, schema: str, orientation: int
) -> None:
    face, red = face_and_square(turned_photos, schema, orientation)
    assert face == pytest.approx(red, abs=0.012)


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_region_of_the_upright_picture_is_not_turned_again(turned_photos: LibraryRunner, orientation: int) -> None:
    face, red = face_and_square(turned_photos, "upright", orientation)
    assert face == pytest.approx(red, abs=0.012)


Edges = tuple[float, float, float, float]


def face_and_square(runner: LibraryRunner, folder: str, orientation: int) -> tuple[Edges, Edges]:
    """Return where the face of a photo is, and where its preview is red."""
    [(digest, x, y, width, height)] = runner.rows(
        "SELECT asset.digest, x, y, region.width, region.height FROM region JOIN asset ON asset.id = region.asset_id "
        "JOIN file ON file.asset_id = asset.id JOIN folder ON folder.id = file.folder_id "
        "WHERE folder.path LIKE ? AND file.name = ?",
        f"%/{folder}",
        f"{orientation}.jpg",
    )
    with Image.open(preview_path(runner.folder / "derived", digest)) as preview:
        return (x, y, x + width, y + height), red_box(preview)


@pytest.mark.parametrize("orientation", [1, 3])
def test_a_region_of_a_picture_of_another_shape_is_not_used(
    runner: LibraryRunner, photos: Path, orientation: int
) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA], drawn=(400, 600)), orientation=orientation))
    write(photos / "b.jpg", picture(mwg([ANNA], drawn=(400, 400)), orientation=orientation))
    runner.scan(photos)
    assert faces(runner) == []


def test_a_face_written_in_two_schemas_is_one_face(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA, BEN]) + microsoft([ANNA, Marked("Ben", 0.1, 0.7)])))
    runner.scan(photos)
    assert faces(runner) == [("Anna", "metadata", "mwg"), ("Ben", "metadata", "mwg")]


def test_a_second_schema_adds_the_names_that_the_first_lacks(runner: LibraryRunner, photos: Path) -> None:
    nobody = Marked(None, ANNA.x, ANNA.y)
    write(photos / "a.jpg", picture(mwg([nobody]) + microsoft([ANNA, BEN])))
    runner.scan(photos)
    assert faces(runner) == [("Anna", "metadata", "mwg"), ("Ben", "metadata", "mp")]


def test_pets_and_points_of_focus_are_no_faces(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([Marked("Rex", 0.1, 0.1, kind="Pet"), Marked(None, 0.5, 0.5, kind="Focus")])))
    runner.scan(photos)
    assert faces(runner) == []


@pytest.mark.parametrize("name", [None, "", "Unknown", "Smith, Anna", "12", "*"])
def test_a_face_without_a_usable_name_is_a_face_without_a_person(
    runner: LibraryRunner, photos: Path, name: str | None
) -> None:
    write(photos / "a.jpg", picture(mwg([Marked(name, 0.1, 0.1)])))
    runner.scan(photos)
    assert faces(runner) == [(None, None, "mwg")]
    assert runner.value("SELECT count(*) FROM individual") == 0


def test_an_edited_sidecar_moves_the_name_and_the_face(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture())
    sidecar(photos / "a.jpg.xmp", mwg([ANNA]))
    runner.scan(photos)
    before = runner.rows("SELECT id FROM region")
    sidecar(photos / "a.jpg.xmp", mwg([Marked("Bea", 0.12, 0.22)]))
    runner.scan()
    assert faces(runner) == [("Bea", "metadata", "mwg")]
    assert runner.rows("SELECT id FROM region") == before
    assert runner.value("SELECT round(x, 3) FROM region") == 0.12


def test_a_face_that_a_file_no_longer_marks_is_gone_and_its_photo_counts_none(
    runner: LibraryRunner, photos: Path
) -> None:
    write(photos / "a.jpg", picture())
    path = sidecar(photos / "a.jpg.xmp", mwg([ANNA, BEN]))
    runner.scan(photos)
    sidecar(path, mwg([BEN]))
    runner.scan()
    assert faces(runner) == [("Ben", "metadata", "mwg")]
    path.unlink()
    runner.scan()
    assert faces(runner) == []
    assert runner.value("SELECT faces FROM photo") is None


def test_another_person_confirmed_by_command_beats_the_file(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA, BEN])))
    runner.scan(photos)
    change(
        runner,
        "UPDATE assignment SET how = 'confirmed', individual_id = (SELECT id FROM individual WHERE name = 'Ben') "
        "WHERE individual_id = (SELECT id FROM individual WHERE name = 'Anna')",
    )
    resolve_again(runner)
    assert faces(runner) == [("Ben", "confirmed", "mwg"), ("Ben", "metadata", "mwg")]


def test_a_rejected_name_does_not_come_back(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA])))
    runner.scan(photos)
    change(runner, "INSERT INTO rejection SELECT region_id, individual_id, 0 FROM assignment")
    change(runner, "DELETE FROM assignment")
    resolve_again(runner)
    assert faces(runner) == [(None, None, "mwg")]
    sidecar(photos / "a.jpg.xmp", mwg([ANNA]))
    runner.scan()
    assert faces(runner) == [(None, None, "mwg")]


def test_a_decision_keeps_a_face_that_its_file_no_longer_marks(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture())
    path = sidecar(photos / "a.jpg.xmp", mwg([ANNA, BEN]))
    runner.scan(photos)
    change(runner, "UPDATE assignment SET how = 'confirmed' WHERE region_id = (SELECT min(id) FROM region)")
    path.unlink()
    runner.scan()
    assert faces(runner) == [("Anna", "confirmed", "mwg")]


def test_a_name_in_a_file_still_means_a_renamed_person(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA])))
    runner.scan(photos)
    change(runner, "UPDATE individual SET name = 'Anna Schmidt', name_key = 'anna schmidt'")
    resolve_again(runner)
    write(photos / "b.jpg", picture(mwg([ANNA]), seed=1))
    runner.scan()
    assert faces(runner) == [("Anna Schmidt", "metadata", "mwg"), ("Anna Schmidt", "metadata", "mwg")]


def test_resolving_again_changes_nothing(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA, BEN]), orientation=6))
    runner.scan(photos)
    tables = ("region", "assignment", "individual", "individual_alias")
    before = [runner.rows(f"SELECT * FROM {table}") for table in tables]
    resolve_again(runner)
    assert [runner.rows(f"SELECT * FROM {table}") for table in tables] == before


def test_a_file_saved_with_another_name_gets_the_new_one(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture(mwg([ANNA])))
    runner.scan(photos)
    write(photos / "a.jpg", picture(mwg([BEN]), seed=1))
    runner.scan()
    primary = "region.asset_id IN (SELECT primary_asset_id FROM photo)"
    assert runner.rows(FACES.replace("ORDER", f"WHERE {primary} ORDER")) == [("Ben", "metadata", "mwg")]


def resolve_again(runner: LibraryRunner) -> None:
    change(runner, "INSERT OR IGNORE INTO photo_to_resolve SELECT id FROM photo")
    runner.scan()


def test_a_found_face_keeps_the_name_that_its_cut_photo_still_gives(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture())
    sidecar(photos / "a.jpg.xmp", mwg([ANNA, BEN]))
    runner.scan(photos)
    found_by_model(runner, "Anna")
    sidecar(photos / "a.jpg.xmp", mwg([ANNA, BEN], drawn=(900, 400)))
    runner.scan()
    assert faces(runner) == [("Anna", "metadata", "mwg")]


def found_by_model(runner: LibraryRunner, name: str) -> None:
    """Let a model have found the face of a person."""
    change(
        runner,
        "INSERT INTO region_space (kind, model, key, dim, active, created_at) VALUES ('face', 'm', '{}', 2, 1, 0)",
    )
    change(
        runner,
        "UPDATE region SET space_id = (SELECT max(id) FROM region_space), score = 0.9 WHERE id IN (SELECT region_id "
        f"FROM assignment JOIN individual ON individual.id = assignment.individual_id WHERE name = '{name}')",
    )


def test_a_mark_drawn_loosely_around_the_only_face_in_it_is_that_face(runner: LibraryRunner, photos: Path) -> None:
    write(photos / "a.jpg", picture())
    path = sidecar(photos / "a.jpg.xmp", mwg([Marked("Anna", 0.4, 0.4, 0.1, 0.15), BEN]))
    runner.scan(photos)
    found_by_model(runner, "Anna")
    sidecar(path, mwg([Marked("Bea", 0.1, 0.1, 0.45, 0.8)]))
    runner.scan()
    assert faces(runner) == [("Bea", "metadata", "mwg")]
    assert runner.value("SELECT width FROM region") == pytest.approx(0.1)
