"""Undo of decisions about people after faces were grouped again, and after photos were pruned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from photoindex.domain.people.values import How
from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.prune import PruneRequest, prune
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.people import list_people
from photoindex.library.scan.invalidation import invalidate
from photoindex.store.journal.undo import CannotUndo
from photoindex.store.schema.tables import assignment, individual, photo, photo_to_resolve, region
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRows]:
    """An empty library that takes faces."""
    (tmp_path / "originals").mkdir()
    with library_in(tmp_path / "library") as library:
        yield FaceRows(library, tmp_path / "originals")


def remove_person(rows: FaceRows, person_id: int) -> None:
    """Remove a group as grouping does, which is in no journal."""
    with rows.writing() as connection:
        connection.execute(delete(assignment).where(assignment.c.individual_id == person_id))
        connection.execute(delete(individual).where(individual.c.id == person_id))


def test_undo_of_a_merge_leaves_faces_alone_that_were_grouped_anew_since(rows: FaceRows) -> None:
    faces = rows.add_photos_of("b", 3)
    anna = rows.add_person("Anna", rows.add_photos_of("a", 2))
    group = rows.add_person(None, faces)
    rows.assign(group, faces[1:], how=How.CLUSTER)
    done = changes.merge(rows.library, "Anna", [str(group)])
    other = rows.add_person(None, faces[2:], how=How.CLUSTER)
    undo(rows.library, done.entry_id)
    assert [rows.people()[face] for face in faces] == [group, group, other]
    assert set(rows.people().values()) == {anna, group, other}


def test_undo_of_a_rejection_takes_the_face_back_from_the_group_it_was_put_in(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    anna = rows.add_person("Anna", faces)
    done = changes.reject(rows.library, "Anna", [f"f{faces[0]}"])
    other = rows.add_person(None, faces[:1], how=How.CLUSTER)
    undone = undo(rows.library, done.entry_id)
    assert rows.people() == dict.fromkeys(faces, anna)
    undo(rows.library, undone.undone_by)
    assert rows.people() == {faces[0]: other, faces[1]: anna}


def test_undo_of_a_confirmation_whose_group_is_gone_makes_it_a_face_of_nobody(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    rows.add_person("Anna")
    group = rows.add_person(None, faces, how=How.CLUSTER)
    done = changes.confirm(rows.library, "Anna", [f"f{faces[0]}"])
    remove_person(rows, group)
    undo(rows.library, done.entry_id)
    assert rows.people() == {}


def test_undo_gives_a_confirmed_face_its_group_back_with_its_number(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    rows.add_person("Anna")
    group = rows.add_person(None, faces)
    rows.assign(group, faces[1:], how=How.CLUSTER)
    done = changes.confirm(rows.library, "Anna", [f"f{faces[0]}"])
    remove_person(rows, group)
    undo(rows.library, done.entry_id)
    assert rows.people() == {faces[0]: group}


def test_undo_of_a_split_lets_go_of_faces_that_joined_the_new_person(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    anna = rows.add_person("Anna", faces[:2])
    done = changes.split(rows.library, "Anna", [f"f{faces[0]}"])
    assert done.person_id is not None
    rows.assign(done.person_id, faces[2:], how=How.CLUSTER)
    undone = undo(rows.library, done.entry_id)
    assert rows.people() == dict.fromkeys(faces[:2], anna)
    undo(rows.library, undone.undone_by)
    assert rows.people() == {faces[0]: done.person_id, faces[1]: anna, faces[2]: done.person_id}


def test_undo_of_a_split_is_refused_after_a_decision_about_the_new_person(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 3)
    rows.add_person("Anna", faces[:2])
    done = changes.split(rows.library, "Anna", [f"f{faces[0]}"])
    later = changes.reject(rows.library, str(done.person_id), [f"f{faces[2]}"])
    with pytest.raises(CannotUndo, match=f"remove person {done.person_id}, who has been changed since"):
        undo(rows.library, done.entry_id)
    undo(rows.library, later.entry_id)
    undo(rows.library, done.entry_id)


def test_undo_is_refused_where_a_person_changed_the_face_since(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    rows.add_person("Anna", faces, how=How.CLUSTER)
    rows.add_person("Bea", rows.add_photos_of("b", 1))
    done = changes.confirm(rows.library, "Anna")
    changes.confirm(rows.library, "Bea", [f"f{faces[0]}"])
    with pytest.raises(CannotUndo, match=f"assignment {faces[0]} has changed since"):
        undo(rows.library, done.entry_id)


def forget_all(rows: FaceRows) -> int:
    with rows.writing() as connection:
        connection.exec_driver_sql("UPDATE file SET state = 'missing', missing_since = 1.0")
    entry_id = prune(rows.library, PruneRequest()).entry_id
    assert entry_id is not None
    return entry_id


def test_a_persons_work_comes_back_with_forgotten_photos(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 4)
    anna = rows.add_person("Anna", faces[:2])
    group = rows.add_person(None, faces[3:])
    rows.reject(anna, faces[2:3])
    rows.set_person(anna, cover_id=faces[0])
    rows.allow_repeats(faces[0])
    list_people(rows.library)
    entry = forget_all(rows)
    assert rows.people() == {}
    assert [one.summary.faces for one in list_people(rows.library).people] == [0]
    remove_person(rows, group)
    undo(rows.library, entry)
    assert rows.people() == {faces[0]: anna, faces[1]: anna, faces[3]: group}
    with rows.library.database.read() as connection:
        assert set(connection.execute(select(region.c.id)).scalars()) == set(faces)
        assert list(connection.execute(select(photo.c.faces)).scalars()) == [1, 1, 1, 1]
    (listed,) = [one for one in list_people(rows.library).people if one.person.id == anna]
    assert (listed.summary.faces, listed.cover_id) == (2, faces[0])


def test_faces_without_a_decision_are_looked_for_again_after_undo(rows: FaceRows) -> None:
    rows.add_person(None, rows.add_photos_of("a", 2), how=How.CLUSTER)
    undo(rows.library, forget_all(rows))
    with rows.library.database.read() as connection:
        assert list(connection.execute(select(photo.c.faces)).scalars()) == [None, None]


def test_photos_whose_files_name_people_are_resolved_again_after_undo(rows: FaceRows) -> None:
    faces = rows.add_photos_of("a", 2)
    rows.add_person("Anna", faces, how=How.METADATA)
    with rows.writing() as connection:
        connection.execute(update(region).where(region.c.id == faces[0]).values(schema="mwg"))
    done = changes.reject(rows.library, "Anna", [f"f{faces[0]}", f"f{faces[1]}"])
    assert done.entry_id is not None
    with rows.writing() as connection:
        invalidate(connection, done.entry_id)
        assert len(connection.execute(select(photo_to_resolve.c.photo_id)).all()) == 1
    attributes.hide(rows.library, ["Anna"])
