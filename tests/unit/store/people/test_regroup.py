"""A new grouping is written in parts that are each sound, and a person's word of the meantime wins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select

from photoindex.domain.people.groups.regrouping import NOBODY, Regrouping
from photoindex.domain.people.values import How
from photoindex.library.handle import Library
from photoindex.store.people import regroup, spaces
from photoindex.store.people.regroup import NotSound, Written
from photoindex.store.schema.tables import individual, individual_summary, region
from tests.face_rows import FaceRows
from tests.rows import library_in


@pytest.fixture
def library(library_folder: Path) -> Iterator[Library]:
    with library_in(library_folder) as found:
        yield found


@pytest.fixture
def rows(library: Library, tmp_path: Path) -> FaceRows:
    return FaceRows(library, tmp_path / "originals")


def write(library: Library, *changes: tuple[int, int, int]) -> Written:
    """Write changes (face, person before, person after)."""
    faces, before, after = (np.array(column, np.int64) for column in zip(*sorted(changes), strict=True))
    with library.database.write() as connection:
        return regroup.write(connection, Regrouping(faces, before, after, np.full(len(faces), 0.8, np.float32)))


def persons(library: Library) -> set[int]:
    with library.database.read() as connection:
        return set(connection.execute(select(individual.c.id)).scalars())


def test_faces_join_move_and_wait_and_new_groups_get_new_people(library: Library, rows: FaceRows) -> None:
    faces = rows.add_photos_of("Anna", 6)
    anna = rows.add_person(None, faces[:3], how=How.CLUSTER)
    done = write(
        library, (faces[0], anna, NOBODY), (faces[3], NOBODY, anna), (faces[4], NOBODY, -1), (faces[5], NOBODY, -1)
    )
    assert (done.written, done.outdated, done.removed) == (4, 0, 0)
    new = done.made[-1]
    assert new != anna
    assert rows.people() == {faces[1]: anna, faces[2]: anna, faces[3]: anna, faces[4]: new, faces[5]: new}
    assert rows.how(faces[3]) == How.CLUSTER


def test_an_unnamed_person_without_faces_is_removed_unless_something_was_decided_about_them(
    library: Library, rows: FaceRows
) -> None:
    faces = rows.add_photos_of("Anna", 7)
    plain, *decided = (rows.add_person(None, [face], how=How.CLUSTER) for face in faces[:6])
    rows.set_person(decided[0], ignored=True)
    rows.set_person(decided[1], born="2015")
    rows.set_person(decided[2], cover_id=faces[3])
    rows.reject(decided[3], [faces[6]])
    rows.keep_apart(decided[4], decided[0])
    done = write(library, *((face, person, NOBODY) for face, person in rows.people().items()))
    assert done.removed == 1
    assert persons(library) == set(decided)
    assert plain not in persons(library)


def test_what_was_confirmed_meanwhile_stays(library: Library, rows: FaceRows) -> None:
    faces = rows.add_photos_of("Anna", 3)
    anna, ben = rows.add_person("Anna", faces[:2], how=How.CLUSTER), rows.add_person("Ben", faces[2:])
    rows.assign(anna, [faces[0]])
    done = write(library, (faces[0], anna, ben), (faces[1], anna, ben))
    assert (done.written, done.outdated) == (1, 1)
    assert rows.people() == {faces[0]: anna, faces[1]: ben, faces[2]: ben}


def test_what_was_rejected_removed_or_merged_meanwhile_is_left_alone(library: Library, rows: FaceRows) -> None:
    faces = rows.add_photos_of("Anna", 4)
    anna = rows.add_person("Anna", [faces[3]])
    rows.reject(anna, [faces[0]])
    with library.database.write() as connection:
        connection.execute(delete(region).where(region.c.id == faces[1]))
    done = write(library, (faces[0], NOBODY, anna), (faces[1], NOBODY, anna), (faces[2], NOBODY, anna + 1))
    assert (done.written, done.outdated) == (0, 3)
    assert rows.people() == {faces[3]: anna}


def test_nobody_gets_a_second_face_in_a_photo(library: Library, rows: FaceRows) -> None:
    anna_s, also = rows.add_face_photo("a.jpg", "Anna", "Anna")
    anna = rows.add_person("Anna", [anna_s])  # confirmed after the faces were read
    assert write(library, (also, NOBODY, anna)).outdated == 1
    assert rows.people() == {anna_s: anna}
    rows.allow_repeats(also)
    assert write(library, (also, NOBODY, anna)).written == 1


def test_a_named_person_never_loses_the_last_face(library: Library, rows: FaceRows) -> None:
    faces = rows.add_photos_of("Anna", 2)
    anna = rows.add_person("Anna", [faces[0]], how=How.CLUSTER)
    with pytest.raises(NotSound):
        write(library, (faces[0], anna, -1))
    assert rows.people() == {faces[0]: anna}
    assert persons(library) == {anna}


def test_summaries_of_all_whose_faces_change_are_forgotten(library: Library, rows: FaceRows) -> None:
    faces = rows.add_photos_of("Anna", 4)
    people = [rows.add_person(None, [face], how=How.CLUSTER) for face in faces[:3]]
    with library.database.write() as connection:
        summary = {"faces": 1, "confirmed": 0, "photos": 1}
        connection.execute(insert(individual_summary), [{"individual_id": one, **summary} for one in people])
    write(library, (faces[0], people[0], NOBODY), (faces[3], NOBODY, people[1]))
    with library.database.read() as connection:
        assert set(connection.execute(select(individual_summary.c.individual_id)).scalars()) == {people[2]}


def test_a_space_knows_when_and_up_to_which_face_it_was_grouped(library: Library, rows: FaceRows) -> None:
    with library.database.write() as connection:
        space = spaces.active(connection)
        assert space is not None
        regroup.mark_grouped(connection, space, 7, whole=False)
        joined = spaces.active(connection)
        regroup.mark_grouped(connection, space, 9, whole=True)
        whole = spaces.active(connection)
    assert joined is not None
    assert whole is not None
    assert (joined.clustered_at, joined.clustered_up_to, joined.joined_up_to) == (None, None, 7)
    assert whole.clustered_at is not None
    assert (whole.clustered_up_to, whole.joined_up_to) == (9, 9)
    assert rows.space_id == space.id
