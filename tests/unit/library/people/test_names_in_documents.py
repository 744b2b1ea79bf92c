"""People are found by their names, as words of a search, at once after every change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event

from photoindex.domain.people.groups.regrouping import Regrouping
from photoindex.domain.people.values import How
from photoindex.library.maintenance.journal import undo
from photoindex.library.people.decisions import changes
from photoindex.library.search.find import matching_photo_ids
from photoindex.store.people import regroup
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRows]:
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        yield FaceRows(library, tmp_path / "originals")


def grouped(rows: FaceRows, face: int, before: int, after: int) -> None:
    """Let grouping give a face to another person."""
    part = Regrouping(*(np.array([one], np.int64) for one in (face, before, after)), np.ones(1, np.float32))
    with rows.library.database.write() as connection:
        regroup.write(connection, part)


def test_a_person_is_found_by_name_after_naming_renaming_and_undo(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    group = rows.add_person(None, faces, how=How.CLUSTER)
    named = changes.name(rows.library, str(group), "Zoë Mäder")
    assert len(matching_photo_ids(rows.library, "zoe")) == 3
    renamed = changes.name(rows.library, str(group), "Anna")
    assert matching_photo_ids(rows.library, "zoe") == []
    assert len(matching_photo_ids(rows.library, "Anna")) == 3
    undo(rows.library, renamed.entry_id)
    undo(rows.library, named.entry_id)
    assert rows.names() == {}


def test_merged_split_and_rejected_faces_are_found_by_the_name_that_they_have_now(rows: FaceRows) -> None:
    ones, others = rows.add_photos_of("a", 3), rows.add_photos_of("b", 2)
    rows.add_person("Anna", ones, how=How.CLUSTER)
    rows.add_person("Ben", others, how=How.CLUSTER)
    merged = changes.merge(rows.library, "Anna", ["Ben"])
    assert rows.names() == dict.fromkeys([*ones, *others], "anna")
    undo(rows.library, merged.entry_id)
    assert rows.names() == dict.fromkeys(ones, "anna") | dict.fromkeys(others, "ben")
    changes.split(rows.library, "Anna", [f"f{ones[0]}"])
    changes.reject(rows.library, "Anna", [f"f{ones[1]}"])
    changes.split(rows.library, "Ben", [f"f{others[0]}"], to="Cleo")
    assert rows.names() == {ones[2]: "anna", others[0]: "cleo", others[1]: "ben"}


def test_a_face_that_grouping_gives_to_a_named_person_is_found_and_one_that_it_takes_is_not(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    anna = rows.add_person("Anna", faces[:2], how=How.CLUSTER)
    grouped(rows, faces[2], 0, anna)
    assert rows.names() == dict.fromkeys(faces, "anna")
    grouped(rows, faces[0], anna, -1)
    assert rows.names() == dict.fromkeys(faces[1:], "anna")


def test_groups_without_names_cost_no_look_at_documents(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 4)
    group = rows.add_person(None, faces[:3], how=How.CLUSTER)
    run: list[str] = []

    def remember(*given: Any) -> None:
        run.append(given[2])

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        grouped(rows, faces[3], 0, group)
        changes.split(rows.library, str(group), [f"f{faces[0]}"])
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    assert any("assignment" in statement for statement in run)
    assert not any("photo_text" in statement for statement in run)
