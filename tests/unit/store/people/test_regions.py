"""Writing regions: what a model finds again keeps its person, and what a person said is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photoindex.domain.people.values import How
from photoindex.store.people import spaces
from photoindex.store.people.regions import vectors_of
from tests.face_rows import faces_of
from tests.rows import library_in
from tests.unit.store.people.face_runs import BESIDE, FaceRuns, face


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRuns]:
    with library_in(tmp_path / "library") as library:
        yield FaceRuns(library, tmp_path / "photos")


def test_faces_are_stored_with_vector_size_in_the_original_and_landmarks(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    rows.look({asset_id: [face(), face(BESIDE, 2)]})
    stored = rows.query("SELECT size_px, score, sharpness, yaw, roll, length(landmarks), schema FROM region")
    assert stored == [(pytest.approx(400.0), 0.9, 120.0, 1.0, 2.0, 40, None)] * 2
    (first, *_), (second, *_) = rows.faces(asset_id)
    with rows.library.database.read() as connection:
        vectors = vectors_of(connection, [first, second])
    assert np.array_equal(vectors[second], faces_of(2, 1)[0])
    assert rows.faces_of_photo(asset_id) == 2


def test_a_picture_without_a_face_counts_as_looked_through(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    assert rows.faces_of_photo(asset_id) is None
    rows.look({asset_id: []})
    assert rows.faces_of_photo(asset_id) == 0
    rows.look({asset_id: [face()]})
    rows.look({asset_id: []})
    assert (rows.faces_of_photo(asset_id), rows.faces(asset_id)) == (0, [])


def test_a_face_that_another_model_finds_in_the_same_place_keeps_its_id_and_its_person(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    rows.look({asset_id: [face(), face(BESIDE, 2)]})
    (first, *_), (second, *_) = rows.faces(asset_id)
    anna = rows.add_person("Anna", [first])
    group = rows.add_person(None, [second], how=How.CLUSTER)
    rows.reject(anna, [second])
    moved = (0.21, 0.19, 0.1, 0.16)
    variant_id = rows.look({asset_id: [face(moved, 7), face(BESIDE, 8)]}, model="better")
    (_, _, space_id, _), _ = found = rows.faces(asset_id)
    assert found == [(first, 0.21, space_id, variant_id), (second, 0.6, space_id, variant_id)]
    assert rows.people() == {first: anna, second: group}
    assert rows.query("SELECT region_id, individual_id FROM rejection") == [(second, anna)]
    with rows.library.database.read() as connection:
        assert np.array_equal(vectors_of(connection, [first])[first], faces_of(7, 1)[0])
    assert rows.query("SELECT count(*) FROM region_vector") == [(2,)]


def test_a_face_that_is_not_found_again_goes_unless_a_person_or_a_file_said_something_about_it(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    boxes = [(0.1 * number, 0.2, 0.08, 0.1) for number in range(5)]
    rows.look({asset_id: [face(box, number) for number, box in enumerate(boxes)]})
    nobody, grouped, confirmed, in_metadata, rejected = (row[0] for row in rows.faces(asset_id))
    anna = rows.add_person("Anna", [confirmed])
    rows.add_person(None, [grouped], how=How.CLUSTER)
    rows.assign(anna, [in_metadata], how=How.METADATA)
    rows.reject(anna, [rejected])
    marked = rows.add_face(asset_id, None, x=0.8, y=0.8)
    rows.look({asset_id: [face((0.1, 0.7, 0.1, 0.1), 9)]}, model="better")
    new = max(row[0] for row in rows.faces(asset_id))
    assert [row[0] for row in rows.faces(asset_id)] == [confirmed, in_metadata, rejected, marked, new]
    assert rows.people() == {confirmed: anna, in_metadata: anna}
    assert rows.query("SELECT count(*) FROM region_vector") == [(4,)]
    assert nobody not in rows.people()


def test_a_marked_face_that_a_model_finds_is_one_face(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    marked = rows.add_face(asset_id, None, x=0.18, y=0.18, width=0.14, height=0.2)
    variant_id = rows.look({asset_id: [face()]})
    ((region_id, left, _space, variant),) = rows.faces(asset_id)
    assert (region_id, left, variant) == (marked, 0.2, variant_id)
    assert rows.query("SELECT schema, score FROM region") == [("mwg", 0.9)]


def test_the_tasks_of_a_model_whose_faces_were_replaced_are_removed(rows: FaceRuns) -> None:
    one, other = rows.add_content(), rows.add_content("other.jpg")
    old = rows.look({one: [], other: []})
    large = rows.look({one: []}, model="large", adds_to=old)
    for asset_id, variant_id in ((one, old), (other, old), (one, large)):
        rows.add_task(asset_id, subject_kind="asset", stage="faces", variant_id=variant_id)
    rows.look({one: []}, model="new")
    assert rows.query("SELECT subject_id, variant_id FROM task WHERE stage = 'faces'") == [(other, old)]


def test_faces_of_a_preview_stay_when_a_larger_picture_shows_others(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    previews = rows.look({asset_id: [face(), face(BESIDE, 2)]})
    before = rows.faces(asset_id)
    larger = rows.look({asset_id: [face(), face((0.4, 0.8, 0.01, 0.02), 3)]}, model="by-hand, larger", adds_to=previews)
    assert [(row[0], row[3]) for row in rows.faces(asset_id)][:2] == [(before[0][0], larger), (before[1][0], previews)]
    assert len(rows.faces(asset_id)) == 3
    rows.look({asset_id: [face()]})
    assert [row[0] for row in rows.faces(asset_id)] == [before[0][0]]


@pytest.mark.slow
def test_ten_thousand_faces_in_one_photo_are_stored_and_found_again(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    vector = faces_of(1, 1)[0]
    crowd = [face((number % 100 / 100, number // 100 / 100, 0.008, 0.009), vector=vector) for number in range(10_000)]
    rows.look({asset_id: crowd})
    before = rows.faces(asset_id)
    assert (len(before), rows.faces_of_photo(asset_id)) == (10_000, 10_000)
    rows.look({asset_id: crowd}, model="better")
    assert [row[:2] for row in rows.faces(asset_id)] == [row[:2] for row in before]
    rows.look({asset_id: []})
    assert rows.query("SELECT count(*) FROM region_vector") == [(0,)]


def test_the_first_model_is_in_use_and_another_one_only_when_told_or_when_the_first_found_nothing(
    rows: FaceRuns,
) -> None:
    with rows.writing() as connection:
        assert spaces.active(connection).model == "by-hand"  # type: ignore[union-attr]
        assert spaces.ensure(connection, model="a", comparable={"model": "a"}, dim=8).active
        again = spaces.ensure(connection, model="a", comparable={"model": "a"}, dim=8)
    rows.look({rows.add_content(): [face()]}, model="a")
    with rows.writing() as connection:
        other = spaces.ensure(connection, model="b", comparable={"model": "b"}, dim=8)
        assert (other.active, spaces.count_others(connection, other.id)) == (False, 1)
        spaces.use(connection, other.id)
        assert spaces.active(connection).id == other.id != again.id  # type: ignore[union-attr]
