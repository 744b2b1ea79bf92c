"""Properties of grouping a library between any decisions: what a person said holds, and everybody keeps their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from photoindex.domain.people.values import FIXED, How
from photoindex.errors import PhotoIndexError
from photoindex.library.handle import Library
from photoindex.library.maintenance.journal import undo
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.groups.cluster import ClusterRequest, cluster
from photoindex.store.schema.tables import asset_with_repeats, assignment, individual, region, rejection
from tests.face_rows import COSINE, FaceRows
from tests.rows import library_in
from tests.series import SOAKING, examples

PEOPLE = 7
TABLES = ("individual_alias", "assignment", "rejection", "individuals_apart", "asset_with_repeats")

numbers = st.integers(0, PEOPLE + 2)
faces = st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True)
steps = st.one_of(
    st.tuples(st.just("name"), numbers, st.sampled_from(["Anna", "Bea", "Cleo"])),
    st.tuples(st.just("merge"), numbers, numbers),
    st.tuples(st.just("split"), numbers, faces),
    st.tuples(st.just("confirm"), numbers, faces),
    st.tuples(st.just("reject"), numbers, faces),
    st.tuples(st.just("ignore"), numbers, st.none()),
    st.tuples(st.just("apart"), numbers, numbers),
    st.tuples(st.just("born"), numbers, st.sampled_from(["2010", "2016-03"])),
    st.tuples(st.just("undo"), st.just(0), st.none()),
    st.tuples(st.just("group"), st.just(0), st.booleans()),
    st.tuples(st.just("group"), st.just(0), st.booleans()),
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceRows]:
    """A library of people over the years, some of them together in a photo, and strangers."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "originals").mkdir()
    with library_in(folder / "library") as library:
        made = FaceRows(library, folder / "originals")
        for person in range(PEOPLE):
            for number in range(5):
                made.add_face_photo(f"{person} {number}.jpg", person, taken_at=f"{2008 + 2 * number}-05-01T10:00:00")
        for number in range(3):
            made.add_face_photo(f"two {number}.jpg", number, number + 1, cosine=COSINE)
        made.add_photos_of("stranger", 1)
        yield made


class Series:
    """The library as it was before anybody was grouped."""

    def __init__(self, rows: FaceRows) -> None:
        self.library: Library = rows.library
        with rows.writing() as connection:
            for table in ("journal_change", "journal", "individual_summary", *TABLES, "individual"):
                connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text("UPDATE region_space SET clustered_at = NULL, joined_up_to = NULL"))
        self.group(full=True)
        self.persons = sorted(self.read(select(individual.c.id)))

    def read(self, statement: Any) -> list[Any]:
        with self.library.database.read() as connection:
            return [row[0] if len(row) == 1 else tuple(row) for row in connection.execute(statement)]

    def group(self, *, full: bool) -> None:
        """Group, and check what must hold afterwards."""
        assigned = select(assignment.c.region_id, assignment.c.individual_id, assignment.c.how)
        before = {face: (person, how) for face, person, how in self.read(assigned)}
        known = dict(self.read(select(individual.c.id, individual.c.name)))
        cluster(self.library, ClusterRequest(full=full))
        after = {face: (person, how) for face, person, how in self.read(assigned)}
        self.check(before, after, known)
        if not full:
            moved = {face for face, (person, _) in before.items() if after.get(face, (None,))[0] != person}
            assert not moved
            return
        cluster(self.library, ClusterRequest(full=True))
        assert {face: (person, how) for face, person, how in self.read(assigned)} == after

    def check(self, before: dict[int, Any], after: dict[int, Any], known: dict[int, str | None]) -> None:
        fixed = {face: row for face, row in before.items() if row[1] in FIXED}
        assert {face: row for face, row in after.items() if row[1] in FIXED} == fixed
        rejected = set(self.read(select(rejection.c.region_id, rejection.c.individual_id)))
        assert not rejected & {(face, person) for face, (person, how) in after.items() if how == How.CLUSTER}
        persons = dict(self.read(select(individual.c.id, individual.c.name)))
        assert {person for person, _ in after.values()} <= set(persons)
        assert min(set(persons) - set(known), default=1 << 40) > max(known, default=0)
        named = {person for person, name in known.items() if name is not None}
        assert named <= set(persons)
        assert named & {person for person, _ in before.values()} <= {person for person, _ in after.values()}
        apart = self.read(text("SELECT individual_id, other_id FROM individuals_apart"))
        assert {person for pair in apart for person in pair} <= set(persons)
        assets = dict(self.read(select(region.c.id, region.c.asset_id)))
        free = set(self.read(select(asset_with_repeats.c.asset_id)))
        in_photo = Counter((assets[face], person) for face, (person, _) in after.items() if assets[face] not in free)
        assert max(in_photo.values(), default=1) == 1

    def decide(self, what: str, number: int, value: Any) -> None:
        """Carry out one decision; those that are refused change nothing."""
        person = str(self.persons[number % len(self.persons)])
        written = [f"f{one}" for one in value] if isinstance(value, list) else []
        with suppress(PhotoIndexError):
            if what == "name":
                changes.name(self.library, person, value)
            elif what == "merge":
                changes.merge(self.library, person, [str(self.persons[value % len(self.persons)])])
            elif what == "split":
                changes.split(self.library, person, written)
            elif what == "confirm":
                changes.confirm(self.library, person, written)
            elif what == "reject":
                changes.reject(self.library, person, written)
            elif what == "ignore":
                attributes.ignore(self.library, [person])
            elif what == "apart":
                attributes.keep_apart(self.library, person, str(self.persons[value % len(self.persons)]))
            elif what == "born":
                attributes.set_birth(self.library, person, value)
            else:
                undo(self.library)


@settings(
    max_examples=examples(12),
    deadline=None,
    derandomize=not SOAKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(series=st.lists(steps, min_size=1, max_size=8))
def test_grouping_keeps_what_people_said_and_their_numbers(rows: FaceRows, series: list[tuple[str, int, Any]]) -> None:
    people = Series(rows)
    for what, number, value in series:
        if what == "group":
            people.group(full=value)
        else:
            people.decide(what, number, value)
    people.group(full=True)


def test_a_merge_that_was_undone_leaves_both_people_in_the_next_grouping(rows: FaceRows) -> None:
    people = Series(rows)
    before = rows.people()
    one, other = people.persons[:2]
    changes.merge(people.library, str(one), [str(other)])
    people.group(full=True)
    assert other not in rows.people().values()
    undo(people.library)
    people.group(full=True)
    assert rows.people() == before


def test_a_merge_holds_in_every_later_grouping(rows: FaceRows) -> None:
    people = Series(rows)
    before = rows.people()
    one, other, *_ = (person for person in people.persons if person not in _together(rows, before))
    changes.merge(people.library, str(one), [str(other)])
    merged = rows.people()
    for _ in range(2):
        people.group(full=True)
        assert rows.people() == merged
    assert {person for face, person in merged.items() if before[face] == other} == {one}


def _together(rows: FaceRows, people: dict[int, int]) -> set[int]:
    """The persons who are in a photo with somebody."""
    with rows.library.database.read() as connection:
        assets = {row.id: row.asset_id for row in connection.execute(select(region.c.id, region.c.asset_id))}
    counted = Counter(assets.values())
    return {person for face, person in people.items() if counted[assets[face]] > 1}
