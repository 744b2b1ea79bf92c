"""Grouping faces of a library: who joins whom, what never changes, and when all are grouped again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from photoindex.app import open_library
from photoindex.config.load import load_config
from photoindex.domain.people.values import How
from photoindex.errors import LibraryLocked, NothingFound
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.people.decisions.attributes import set_birth
from photoindex.library.people.decisions.changes import merge
from photoindex.library.people.groups import cluster as operation
from photoindex.library.people.groups.cluster import LOCK_NAME, ClusterRequest, ClusterSummary, cluster, is_due
from photoindex.library.people.groups.diff import diff
from photoindex.progress import Event, PhaseStarted
from photoindex.store.schema.tables import individual, region_space, region_vector
from tests.face_rows import POOR, FaceRows, faces_of

FULL = ClusterRequest(full=True)
PEOPLE = 6
EACH = 7


@pytest.fixture
def library(library_folder: Path) -> Iterator[Library]:
    settings = {"library": library_folder, "cluster.full_after_faces": 50}
    with open_library(load_config(settings), create=True) as found:
        yield found


@pytest.fixture
def rows(library: Library, tmp_path: Path) -> FaceRows:
    return FaceRows(library, tmp_path / "originals")


@pytest.fixture
def grouped(rows: FaceRows, library: Library) -> dict[int, list[int]]:
    """A grouped library of a few made-up people: their numbers -> their faces."""
    faces = {person: rows.add_photos_of(person, EACH) for person in range(PEOPLE)}
    run(library)
    return faces


def run(library: Library, request: ClusterRequest = ClusterRequest()) -> ClusterSummary:  # noqa: B008
    return cluster(library, request).summary


def persons(library: Library) -> set[int]:
    with library.database.read() as connection:
        return set(connection.execute(select(individual.c.id)).scalars())


def pretend(library: Library, **values: object) -> None:
    """Set columns of the space."""
    with library.database.write() as connection:
        connection.execute(update(region_space).values(**values))


def test_the_first_time_all_faces_become_groups_by_person(library: Library, rows: FaceRows) -> None:
    faces = [rows.add_photos_of(person, EACH) for person in range(PEOPLE)]
    alone = rows.add_photos_of("stranger", 1)
    done = run(library)
    assert rows.groups() == sorted(faces)
    assert alone[0] not in rows.people()
    assert (done.full, done.new, done.grouped_new, done.groups) == (True, PEOPLE * EACH + 1, PEOPLE * EACH, PEOPLE)
    assert (done.people, done.unnamed, done.named, done.waiting) == (PEOPLE, PEOPLE, 0, 1)
    assert {rows.how(face) for some in faces for face in some} == {How.CLUSTER}


def test_without_faces_there_is_nothing_to_group(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="no faces were found yet"):
        run(library)
    FaceRows(library, tmp_path / "originals")
    with pytest.raises(NothingFound, match="no faces were found yet"):
        run(library)
    assert not is_due(library)


def test_new_faces_join_the_people_that_exist_or_wait(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    before = rows.people()
    new, stranger = rows.add_photos_of(2, 3), rows.add_photos_of("stranger", 1)
    assert is_due(library).new == 4
    assert not is_due(library).full
    done = run(library)
    assert (done.full, done.new, done.joined, done.moved, done.groups) == (False, 4, 3, 0, 0)
    assert rows.people() == before | dict.fromkeys(new, before[grouped[2][0]])
    assert stranger[0] not in rows.people()
    assert not is_due(library)


@pytest.mark.usefixtures("grouped")
def test_new_faces_make_a_group_with_those_that_wait(library: Library, rows: FaceRows) -> None:
    before = rows.people()
    first = rows.add_photos_of("new", 1)
    assert run(library).waiting == 1
    others = rows.add_photos_of("new", 2)
    done = run(library)
    assert (done.groups, done.grouped_new, done.waiting) == (1, 3, 0)
    assert sorted(first + others) in rows.groups()
    assert before.items() <= rows.people().items()


@pytest.mark.usefixtures("grouped")
def test_poor_faces_found_no_group_but_join_one(library: Library, rows: FaceRows) -> None:
    poor = [rows.add_face_photo(f"poor-{n}.jpg", "new", **{f"face_{k}": v for k, v in POOR.items()}) for n in range(4)]
    assert run(library, FULL).waiting == 4
    good = rows.add_photos_of("new", 2)
    run(library, FULL)
    assert sorted([*good, *(face for some in poor for face in some)]) in rows.groups()


def test_people_keep_their_numbers_when_all_are_grouped_again(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    before = rows.people()
    for person in range(PEOPLE):
        rows.add_photos_of(person, 4)
    done = run(library, FULL)
    assert done.full
    assert (done.moved, done.left, done.groups) == (0, 0, 0)
    assert before.items() <= rows.people().items()
    assert len(grouped) == len(rows.groups())


def test_what_a_person_confirmed_or_named_never_moves(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    wrong, marked = grouped[0][0], grouped[1][1]
    anna = rows.people()[grouped[2][0]]
    ben = rows.add_person("Ben", [marked], how=How.METADATA)
    rows.assign(anna, [wrong])
    for _ in range(3):
        run(library, FULL)
        assert (rows.people()[wrong], rows.how(wrong)) == (anna, How.CONFIRMED)
        assert (rows.people()[marked], rows.how(marked)) == (ben, How.METADATA)


def test_a_rejected_face_never_comes_back(library: Library, rows: FaceRows, grouped: dict[int, list[int]]) -> None:
    face = grouped[3][2]
    person = rows.people()[face]
    rows.reject(person, [face])
    with library.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM assignment WHERE region_id = {face}")
    for request in (ClusterRequest(), FULL, FULL):
        rows.add_photos_of(3, 2)
        run(library, request)
        assert rows.people().get(face) != person


def test_a_face_rejected_for_a_group_never_comes_back_to_its_faces_although_they_are_like_a_larger_group(
    library: Library, rows: FaceRows
) -> None:
    faces = rows.add_photos_of(0, 9)
    rejected, small, large = faces[0], faces[1:4], faces[4:]
    for person in range(1, PEOPLE):
        rows.add_photos_of(person, EACH)
    group = rows.add_person(faces=small, how=How.CLUSTER)
    rows.add_person(faces=large, how=How.CLUSTER)
    rows.reject(group, [rejected])
    for _ in range(3):
        run(library, FULL)
        now = rows.people()
        assert {now[face] for face in small} == {group}
        assert now.get(rejected) != group


def test_a_group_that_a_face_was_rejected_for_is_not_taken_over_by_a_named_person(
    library: Library, rows: FaceRows
) -> None:
    faces = rows.add_photos_of(0, 9)
    rejected, small, confirmed = faces[0], faces[1:4], faces[4:]
    for person in range(1, PEOPLE):
        rows.add_photos_of(person, EACH)
    group = rows.add_person(faces=small, how=How.CLUSTER)
    rows.add_person("Anna", confirmed)
    rows.reject(group, [rejected])
    for _ in range(3):
        run(library, FULL)
        now = rows.people()
        assert {now[face] for face in small} == {group}
        assert now.get(rejected) != group


def test_a_group_that_a_face_was_rejected_for_still_falls_apart_where_it_is_two_people(
    library: Library, rows: FaceRows
) -> None:
    one, other = rows.add_photos_of(0, 8), rows.add_photos_of(1, 5)
    for person in range(2, PEOPLE):
        rows.add_photos_of(person, EACH)
    group = rows.add_person(faces=[*one, *other[1:]], how=How.CLUSTER)
    rows.reject(group, other[:1])
    for _ in range(2):
        run(library, FULL)
    now = rows.people()
    assert {now[face] for face in one} == {group}
    assert sorted(other) in rows.groups()


def test_faces_that_dates_or_a_merge_took_from_a_person_find_another_one_in_the_next_grouping(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    """A twin in an old photo, and a stranger beside the person, had joined them."""
    twin = rows.add_photos_of(1, 1, taken_at="1980-05-01T10:00:00")
    beside, own = rows.add_face_photo("both.jpg", 2, 3)
    anna, other, ben = (rows.people()[grouped[person][0]] for person in (0, 1, 2))
    fragment = rows.add_person(faces=grouped[3][:3], how=How.CLUSTER)
    rows.assign(anna, twin, how=How.CLUSTER)
    rows.assign(fragment, [beside], how=How.CLUSTER)
    rows.assign(rows.people()[grouped[3][3]], [own], how=How.CLUSTER)
    pretend(library, joined_up_to=max(rows.people()))
    set_birth(library, str(anna), "2001")
    merge(library, str(rows.people()[own]), [str(fragment)])
    assert twin[0] not in rows.people()
    assert beside not in rows.people()
    assert not run(library).full
    assert (rows.people()[twin[0]], rows.people()[beside]) == (other, ben)


def test_two_people_who_are_apart_are_never_joined(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    one = rows.people()[grouped[4][0]]
    other = rows.add_person(None, grouped[4][4:], how=How.CLUSTER)
    rows.keep_apart(one, other)
    for _ in range(2):
        run(library, FULL)
        assert {one, other} <= persons(library)
        assert {rows.people()[face] for face in grouped[4]} >= {one, other}


def test_nobody_is_twice_in_a_photo_unless_it_is_allowed(library: Library, rows: FaceRows) -> None:
    for person in range(PEOPLE):
        rows.add_photos_of(person, EACH)
    mirror = rows.add_face_photo("mirror.jpg", 1, 1)
    run(library)
    assert len({rows.people().get(face) for face in mirror}) == 2
    rows.allow_repeats(mirror[0])
    run(library, FULL)
    assert rows.people()[mirror[0]] == rows.people()[mirror[1]]


def test_a_face_beside_one_that_is_marked_as_the_same_person_waits(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    anna = rows.people()[grouped[5][0]]
    (face,) = rows.add_photos_of(5, 1)
    marked = rows.add_face(asset_of(library, face), None)
    rows.assign(anna, [marked], how=How.METADATA)
    for request in (ClusterRequest(), FULL):
        run(library, request)
        assert face not in rows.people()


def asset_of(library: Library, face: int) -> int:
    with library.database.read() as connection:
        return int(connection.exec_driver_sql(f"SELECT asset_id FROM region WHERE id = {face}").scalar_one())


@pytest.mark.parametrize(
    ("taken_at", "precision", "joins"),
    [
        ("2010-05-01T10:00:00", "second", False),
        ("2014-01-01T00:00:00", "year", False),
        ("2015-01-01T00:00:00", "year", True),
        ("2015-02-01T00:00:00", "month", False),
        ("2015-03-01T00:00:00", "month", True),
        ("2019-05-01T10:00:00", "second", True),
    ],
)
def test_nobody_is_in_a_photo_from_before_their_birth(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]], taken_at: str, precision: str, joins: bool
) -> None:
    child = rows.people()[grouped[0][0]]
    rows.set_person(child, born="2015-03-20")
    (face,) = rows.add_face_photo("old.jpg", 0, taken_at=taken_at, taken_at_precision=precision)
    run(library)
    assert (rows.people().get(face) == child) is joins
    run(library, FULL)
    assert (rows.people().get(face) == child) is joins


def test_the_time_of_a_file_says_nothing_about_a_life(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    child = rows.people()[grouped[0][0]]
    rows.set_person(child, born="2015-03-20")
    (face,) = rows.add_face_photo("old.jpg", 0, taken_at="2010-05-01T10:00:00", taken_at_source="mtime")
    run(library)
    assert rows.people()[face] == child


def test_a_named_person_never_loses_all_faces(library: Library, rows: FaceRows, grouped: dict[int, list[int]]) -> None:
    # Named without a confirmed face, and grouping thinks these faces are another one's.
    anna = rows.add_person("Anna", grouped[1][:2], how=How.CLUSTER)
    run(library, FULL)
    assert {rows.people()[face] for face in grouped[1][:2]} == {anna}


def test_two_names_never_become_one_person_although_nothing_was_confirmed(library: Library, rows: FaceRows) -> None:
    """Siblings whose faces are as alike as those of one person."""
    faces = rows.add_photos_of(1, 16, cosine=0.85)
    anna = rows.add_person("Anna", faces[:8], how=How.CLUSTER)
    ben = rows.add_person("Ben", faces[8:], how=How.CLUSTER)
    for number in (2, 3, 4):
        rows.add_photos_of(number, EACH)
    run(library, FULL)
    run(library, FULL)
    after = rows.people()
    kept = [{face for face in faces if after.get(face) == one} for one in (anna, ben)]
    assert min(map(len, kept)) > 2


def test_strangers_stay_strangers_where_they_are_grouped_otherwise(library: Library, rows: FaceRows) -> None:
    several = rows.add_photos_of(1, 5) + rows.add_photos_of(2, 4)
    like_others, others = rows.add_photos_of(3, 3), rows.add_photos_of(3, 6)
    strangers, stranger = (rows.add_person(None, faces, how=How.CLUSTER) for faces in (several, like_others))
    rows.add_person(None, others, how=How.CLUSTER)
    rows.set_person(strangers, ignored=True)
    rows.set_person(stranger, ignored=True)
    run(library, FULL)
    found = rows.people()
    assert {found[face] for face in several} == {strangers}
    assert {found[face] for face in like_others} == {stranger}


def test_faces_without_a_vector_are_left_alone(library: Library, rows: FaceRows) -> None:
    """An undo brings back faces, and the next detection their vectors."""
    first, *others = rows.add_photos_of(1, EACH)
    rows.add_person("Anna", [first])
    with library.database.write() as connection:
        connection.execute(region_vector.delete().where(region_vector.c.region_id == first))
    run(library)
    assert rows.how(first) == How.CONFIRMED
    assert sorted(others) in rows.groups()


def test_child_and_adult_of_one_confirmed_person_stay_one(library: Library, rows: FaceRows) -> None:
    child, adult = rows.add_photos_of("child", EACH), rows.add_photos_of("adult", EACH)
    for other in range(PEOPLE):
        rows.add_photos_of(other, EACH)
    anna = rows.add_person("Anna", [child[0], adult[0]])
    for _ in range(2):
        run(library, FULL)
        assert {rows.people()[face] for face in child + adult} == {anna}


def test_all_faces_are_grouped_again_when_it_is_time(library: Library, rows: FaceRows) -> None:
    rows.add_photos_of(1, 3)
    assert is_due(library).full == "faces are grouped for the first time"
    run(library)
    pretend(library, clustered_at=time.time() - 8 * 86_400)
    assert is_due(library).full == "the last time was 8 days ago"
    assert run(library).full
    assert not is_due(library)
    rows.add_many(faces_of(2, 50))
    assert is_due(library).full == "50 faces are new since the last time"
    assert run(library).reason == "50 faces are new since the last time"
    rows.space_id = rows.add_space("other")
    rows.add_photos_of(3, 3)
    assert is_due(library).full == "the model changed to other"


def test_a_space_that_was_never_grouped_and_has_no_faces_is_not_due(library: Library, rows: FaceRows) -> None:
    rows.add_photos_of(1, 3)
    run(library)
    rows.add_space("other")
    assert not is_due(library)


def test_a_dry_run_changes_nothing_and_says_what_would_change(
    library: Library, rows: FaceRows, grouped: dict[int, list[int]]
) -> None:
    new = rows.add_photos_of(2, 2)
    moved = grouped[0][:2]
    anna = rows.add_person("Anna", [*rows.add_photos_of("anna", 5), *moved], how=How.CLUSTER)
    before = rows.people()
    planned = cluster(library, ClusterRequest(full=True, dry_run=True))
    assert rows.people() == before
    assert is_due(library).new == 7
    told = {(one.kind, one.person, one.name, one.before, one.before_name): one for one in diff(library, planned)}
    zero, two = before[grouped[0][5]], before[grouped[2][0]]
    assert set(told) == {("joined", two, None, None, None), ("moved", zero, None, anna, "Anna")}
    assert sorted(told["moved", zero, None, anna, "Anna"].examples) == moved
    joined = told["joined", two, None, None, None]
    assert sorted(joined.examples) == new
    assert {Path(path.decode()).name for path in joined.paths} == {"2-7.jpg", "2-8.jpg"}
    done = run(library, FULL)
    assert (done.joined, done.moved) == (planned.summary.joined, planned.summary.moved) == (2, 2)


def test_the_order_of_arrival_changes_no_group(library: Library, rows: FaceRows, tmp_path: Path) -> None:
    for person in (3, 1, 2):
        rows.add_photos_of(person, EACH)
    run(library)
    with open_library(load_config({"library": tmp_path / "second"}), create=True) as second:
        others = FaceRows(second, tmp_path / "others")
        for _ in range(EACH):
            for person in (1, 2, 3):
                others.add_photos_of(person, 1)
        run(second)
        assert sorted(map(len, rows.groups())) == sorted(map(len, others.groups())) == [EACH] * 3


def test_only_one_grouping_runs_at_a_time(library: Library, rows: FaceRows) -> None:
    rows.add_photos_of(1, 3)
    with exclusive(library.folder, "cluster", name=LOCK_NAME), pytest.raises(LibraryLocked):
        run(library)
    cluster(library, ClusterRequest(dry_run=True))


def test_an_interruption_before_the_writing_changes_nothing(library: Library, rows: FaceRows) -> None:
    rows.add_photos_of(1, 5)

    def interrupted(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(library, ClusterRequest(), interrupted)
    assert rows.people() == {}
    assert is_due(library).full
    assert len(run(library).reason) > 0
    assert len(rows.groups()) == 1


def test_a_grouping_that_was_stopped_between_two_parts_is_completed(
    library: Library, rows: FaceRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = [rows.add_photos_of(person, EACH) for person in range(PEOPLE)]
    monkeypatch.setattr(operation, "_BATCH_FACES", 1)
    with pytest.raises(KeyboardInterrupt):
        cluster(library, ClusterRequest(), stop_after(3))
    some = rows.people()
    assert 0 < len(some) < PEOPLE * EACH
    assert set(map(len, rows.groups())) == {EACH}
    assert is_due(library).full
    run(library)
    assert some.items() <= rows.people().items()
    assert rows.groups() == sorted(faces)


def stop_after(parts: int):  # type: ignore[no-untyped-def]
    seen = []

    def sink(event: Event) -> None:
        if getattr(event, "phase", "") == "writing":
            seen.append(event)
        if len(seen) > parts:
            raise KeyboardInterrupt

    return sink
