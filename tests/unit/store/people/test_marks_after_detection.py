"""Marked faces when a model finds faces: the name in the file goes to the face that the model found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from photoindex.store.schema.tables import asset
from tests.marked_faces import Marked
from tests.rows import library_in
from tests.unit.store.people.face_runs import BESIDE, BOX, FaceRuns, face


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRuns]:
    with library_in(tmp_path / "library") as library:
        yield FaceRuns(library, tmp_path / "photos")


def mark(rows: FaceRuns, asset_id: int, *marks: Marked) -> None:
    """Let a content have marked faces."""
    regions = [
        {"kind": "face", "name": one.name, "x": one.x, "y": one.y, "width": one.width, "height": one.height, "schema": "mwg"}
        for one in marks
    ]  # fmt: skip
    with rows.writing() as connection:
        connection.execute(update(asset).where(asset.c.id == asset_id).values(regions=regions))


def named(rows: FaceRuns) -> list[tuple[Any, ...]]:
    return rows.query(
        "SELECT round(region.x, 3), individual.name, assignment.how FROM region "
        "LEFT JOIN assignment ON assignment.region_id = region.id "
        "LEFT JOIN individual ON individual.id = assignment.individual_id ORDER BY region.id"
    )


def test_the_name_goes_to_the_face_in_its_place_and_to_no_other(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    mark(rows, asset_id, Marked("Anna", BOX[0] + 0.01, BOX[1], *BOX[2:]))
    rows.look({asset_id: [face(), face(BESIDE, 2)]})
    assert named(rows) == [(0.2, "Anna", "metadata"), (0.6, None, None)]
    assert rows.faces_of_photo(asset_id) == 2
    rows.look({asset_id: [face(), face(BESIDE, 2)]}, model="another")
    assert named(rows) == [(0.2, "Anna", "metadata"), (0.6, None, None)]


def test_a_loose_mark_becomes_the_face_that_was_found_inside_it(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    mark(rows, asset_id, Marked("Anna", 0.05, 0.05, 0.5, 0.9))
    rows.look({asset_id: []})
    assert named(rows) == [(0.05, "Anna", "metadata")]
    rows.look({asset_id: [face()]})
    assert named(rows) == [(0.2, "Anna", "metadata")]
    assert rows.faces_of_photo(asset_id) == 1


def test_a_marked_face_that_no_model_finds_is_a_face(rows: FaceRuns) -> None:
    asset_id = rows.add_content()
    mark(rows, asset_id, Marked("Anna", 0.7, 0.7, 0.1, 0.1))
    rows.look({asset_id: [face()]})
    assert sorted(named(rows), key=str) == [(0.2, None, None), (0.7, "Anna", "metadata")]
    assert rows.faces_of_photo(asset_id) == 2
