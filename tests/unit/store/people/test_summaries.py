"""Summaries of individuals: counts, dates, the best face, the largest unnamed groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from photoindex.domain.people.values import How
from photoindex.library.people.summaries import make_summaries
from photoindex.store.people import summaries
from photoindex.store.people.summaries import Summary
from photoindex.store.photos import assets
from photoindex.store.schema.tables import individual_summary, photo, photo_text
from photoindex.types import Resolved
from tests.face_rows import POOR, FaceRows
from tests.rows import library_in


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[FaceRows]:
    with library_in(tmp_path / "library") as library:
        yield FaceRows(library, tmp_path / "photos")


def _of(rows: FaceRows, *people: int) -> list[Summary]:
    with rows.library.database.read() as connection:
        found = summaries.of(connection, people)
    return [found[one] for one in people]


def _largest(rows: FaceRows, limit: int = 10) -> list[int]:
    with rows.library.database.read() as connection:
        return summaries.largest_unnamed(connection, limit)


def _stored(rows: FaceRows) -> int:
    with rows.library.database.read() as connection:
        return connection.execute(select(func.count()).select_from(individual_summary)).scalar_one()


def test_a_summary_counts_faces_and_photos_and_names_the_first_and_last_date(rows: FaceRows) -> None:
    old = rows.add_face_photo("a.jpg", "anna", "anna", taken_at="2012-05-01T10:00:00")
    new = rows.add_face_photo("b.jpg", "anna", "ben", taken_at="2019-05-01T10:00:00")
    copied = rows.add_face_photo("c.jpg", "anna", taken_at="2024-01-01T00:00:00", taken_at_source="mtime")
    anna = rows.add_person("Anna", [old[0]])
    rows.assign(anna, [old[1], new[0], *copied], how=How.CLUSTER)
    (found,) = _of(rows, anna)
    assert (found.faces, found.confirmed, found.photos) == (4, 1, 3)
    assert (found.first_at, found.last_at) == ("2012-05-01T10:00:00", "2019-05-01T10:00:00")


def test_times_of_files_count_where_there_are_no_others(rows: FaceRows) -> None:
    faces = rows.add_face_photo("c.jpg", "anna", taken_at="2024-01-01T00:00:00", taken_at_source="mtime")
    assert _of(rows, rows.add_person(None, faces))[0].first_at == "2024-01-01T00:00:00"


def test_the_best_face_is_confirmed_before_large_before_poor(rows: FaceRows) -> None:
    poor = rows.add_face_photo("a.jpg", "anna", **{f"face_{name}": value for name, value in POOR.items()})
    good = rows.add_face_photo("b.jpg", "anna")
    marked = rows.add_face_photo("c.jpg", "anna", face_size_px=None, face_yaw=None, face_sharpness=None)
    anna = rows.add_person("Anna", [*poor, *good, *marked], how=How.CLUSTER)
    assert _of(rows, anna)[0].cover_id == good[0]
    rows.assign(anna, poor, how=How.CONFIRMED)
    assert _of(rows, anna)[0].cover_id == poor[0]


def test_somebody_without_faces_has_an_empty_summary(rows: FaceRows) -> None:
    assert _of(rows, rows.add_person("Anna")) == [Summary()]


def test_faces_in_contents_that_represent_no_photo_do_not_count(rows: FaceRows) -> None:
    faces = rows.add_face_photo("a.jpg", "anna")
    with rows.library.database.read() as connection:
        photo_id = connection.execute(select(photo.c.id)).scalar_one()
    other = rows.add_face(rows.add_asset(photo_id, role="raw"), rows.next_face("anna"))
    assert _of(rows, rows.add_person("Anna", [*faces, other]))[0].faces == 1


def test_stored_summaries_say_the_same_as_computed_ones(rows: FaceRows) -> None:
    people = [rows.add_person(name, rows.add_photos_of(str(name), 3)) for name in ("Anna", None)]
    people.append(rows.add_person("Nobody"))
    computed = _of(rows, *people)
    make_summaries(rows.library)
    assert _stored(rows) == 3
    assert _of(rows, *people) == computed


def test_a_change_of_faces_makes_a_summary_anew(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("anna", 2))
    make_summaries(rows.library)
    rows.assign(anna, rows.add_photos_of("anna", 1))
    make_summaries(rows.library)
    assert _of(rows, anna)[0].faces == 3
    with rows.writing() as connection:
        connection.execute(update(photo).values(taken_at="2001-01-01T00:00:00"))
        for asset_id in connection.execute(select(photo.c.primary_asset_id)).scalars().all():
            summaries.forget_of_asset(connection, asset_id)
    assert _of(rows, anna)[0].first_at == "2001-01-01T00:00:00"


def test_another_content_that_represents_a_photo_makes_the_summaries_of_both_anew(rows: FaceRows) -> None:
    (face,) = rows.add_face_photo("a.jpg", "anna")
    anna = rows.add_person("Anna", [face])
    other = rows.add_asset(1)
    make_summaries(rows.library)
    with rows.writing() as connection:
        (content,) = [one for one in assets.current_contents(connection, [1])[1] if one.asset_id == other]
        document = {column.name: "" for column in photo_text.c if not column.primary_key}
        assets.store_resolutions(connection, [assets.Resolution(1, content, Resolved(), document, place_id=None)])
    make_summaries(rows.library)
    assert _of(rows, anna) == [Summary()]


def test_the_largest_unnamed_groups_come_in_order_without_names_and_strangers(rows: FaceRows) -> None:
    small, large = (rows.add_person(None, rows.add_photos_of(f"group {size}", size)) for size in (2, 5))
    rows.add_person("Anna", rows.add_photos_of("anna", 9))
    rows.set_person(rows.add_person(None, rows.add_photos_of("stranger", 7)), ignored=True)
    rows.add_person(None)
    same = rows.add_person(None, rows.add_photos_of("another", 2))
    assert _largest(rows) == [large, small, same]
    assert _largest(rows, 1) == [large]
    make_summaries(rows.library)
    assert _largest(rows) == [large, small, same]


def test_unnamed_groups_with_and_without_a_stored_summary_are_ordered_together(rows: FaceRows) -> None:
    kept = rows.add_person(None, rows.add_photos_of("kept", 3))
    make_summaries(rows.library)
    new = rows.add_person(None, rows.add_photos_of("new", 4))
    smaller = rows.add_person(None, rows.add_photos_of("smaller", 1))
    assert _largest(rows) == [new, kept, smaller]


def test_a_library_that_is_being_written_is_summarised_without_storing(rows: FaceRows) -> None:
    anna = rows.add_person("Anna", rows.add_photos_of("anna", 2))
    with rows.writing():
        make_summaries(rows.library)
    assert _stored(rows) == 0
    assert _of(rows, anna)[0].faces == 2
