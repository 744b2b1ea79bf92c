"""People who may be one, and groups to look at, with the evidence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from photoindex.library.handle import Library
from photoindex.library.people.groups.grouping_input import grouping_input
from photoindex.library.people.groups.likely import Likely, likely_same
from photoindex.library.people.groups.stats import cluster_stats
from tests.face_rows import FaceRows, faces_of
from tests.rows import library_in

OTHERS = 14


@pytest.fixture
def library(library_folder: Path) -> Iterator[Library]:
    with library_in(library_folder) as found:
        yield found


@pytest.fixture
def rows(library: Library, tmp_path: Path) -> FaceRows:
    made = FaceRows(library, tmp_path / "originals")
    for person in range(OTHERS):
        made.add_person(None, made.add_photos_of(person, 4), how=How.CLUSTER)
    return made


def likely(library: Library) -> list[Likely]:
    return likely_same(library, grouping_input(library))


def test_two_groups_of_one_person_are_proposed_with_their_nearest_faces(library: Library, rows: FaceRows) -> None:
    ones, others = rows.add_photos_of("Anna", 4), rows.add_photos_of("Anna", 7)
    named, unnamed = rows.add_person("Anna", ones), rows.add_person(None, others, how=How.CLUSTER)
    (found,) = likely(library)
    assert (found.kind, found.persons) == ("alike", (named, unnamed))
    assert found.confidence > 0.99
    face, other, cosine = found.evidence[0].nearest[0]
    assert face in ones
    assert other in others
    assert cosine > 0.7


@pytest.mark.parametrize("why", ["apart", "both named", "ignored", "hidden", "one photo"])
def test_who_cannot_or_need_not_be_one_is_not_proposed(library: Library, rows: FaceRows, why: str) -> None:
    one = rows.add_person("Anna", rows.add_photos_of("Anna", 4))
    other = rows.add_person("Ben" if why == "both named" else None, rows.add_photos_of("Anna", 4), how=How.CLUSTER)
    if why == "apart":
        rows.keep_apart(one, other)
    elif why == "one photo":
        both = rows.add_face_photo("both.jpg", "Anna", "Anna")
        rows.assign(one, both[:1])
        rows.assign(other, both[1:])
    elif why != "both named":
        rows.set_person(other, **{why: True})
    assert likely(library) == []


def test_the_years_of_a_child_are_proposed_as_one_person(library: Library, rows: FaceRows) -> None:
    vectors = faces_of("child", 40, drift=0.035)
    years = []
    for year in range(8):
        faces = []
        for month in range(5):
            taken = f"{2010 + year}-{month + 3:02d}-05T10:00:00"
            photo = rows.add_whole_photo(f"{year} {month}.jpg", taken_at=taken, taken_at_source="exif")
            faces.append(rows.add_face(rows.asset_of(photo), vectors[5 * year + month]))
        years.append(rows.add_person("Mia" if year == 3 else None, faces, how=How.CLUSTER))
    (found,) = likely(library)
    assert found.kind == "years"
    assert found.persons[0] == years[3]
    assert sorted(found.persons) == years
    assert [(one.person, one.other) for one in found.evidence] == list(itertools.pairwise(years))
    assert (found.evidence[0].until, found.evidence[0].since) == ("2010-07-05", "2011-03-05")


def test_stats_find_two_people_in_one_group_and_second_faces(library: Library, rows: FaceRows) -> None:
    mixed = rows.add_person("Mix", rows.add_photos_of("a", 6) + rows.add_photos_of("b", 9), how=How.CLUSTER)
    twice = rows.add_person(None, rows.add_photos_of("c", 6), how=How.CLUSTER)
    for number in range(2):
        rows.assign(twice, rows.add_face_photo(f"two {number}.jpg", "c", "c")[:1], how=How.CLUSTER)
    stats = cluster_stats(library)
    assert (stats.faces, stats.waiting, stats.poor) == (4 * OTHERS + 15 + 10, 2, 0)
    suspicious = {one.person: one for one in stats.people if one.suspicious}
    assert set(suspicious) == {mixed, twice}
    assert suspicious[mixed].mixed is not None
    assert suspicious[mixed].mixed.faces == (9, 6)
    assert suspicious[twice].twice == 2
    assert [one.faces for one in stats.people] == sorted((one.faces for one in stats.people), reverse=True)
    assert all(0.6 < one.cohesion < 0.9 for one in stats.people if one.person != mixed)
