"""Properties for any series of decisions about people: what a person said is kept, and undo restores it exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from photoindex.domain.people.values import How
from photoindex.errors import PhotoIndexError
from photoindex.library.maintenance.journal import undo
from photoindex.library.people.decisions import attributes, changes
from photoindex.library.people.decisions.changes import PeopleChanged
from photoindex.library.people.people import Which, list_people
from photoindex.store.schema.tables import assignment, individual, photo, region, rejection
from photoindex.store.words import documents
from tests.face_rows import FaceRows
from tests.rows import library_in
from tests.series import examples

TABLES = ("individual", "individual_alias", "assignment", "rejection", "individuals_apart", "asset_with_repeats")
FACES = 12

people = st.integers(0, 5)
some_faces = st.lists(st.integers(1, FACES), min_size=1, max_size=4, unique=True)
decisions = st.one_of(
    st.tuples(st.just("name"), people, st.sampled_from(["Anna", "Bea", "Cleo"])),
    st.tuples(st.just("merge"), people, people),
    st.tuples(st.just("split"), people, some_faces),
    st.tuples(st.just("confirm"), people, some_faces),
    st.tuples(st.just("confirm all"), people, st.none()),
    st.tuples(st.just("reject"), people, some_faces),
    st.tuples(st.just("ignore"), people, st.integers(1, FACES)),
    st.tuples(st.just("apart"), people, people),
    st.tuples(st.just("born"), people, st.sampled_from(["2010", "2016-03"])),
)
undos = st.tuples(st.sampled_from(["undo", "redo"]), st.just(0), st.none())
groupings = st.tuples(st.just("group"), people, some_faces)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceRows]:
    """A library of 12 faces, of which two photos show two."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "originals").mkdir()
    with library_in(folder / "library") as library:
        found = FaceRows(library, folder / "originals")
        for number in range(2):
            found.add_face_photo(f"two {number}.jpg", "a", "b", taken_at="2012-01-01T00:00:00")
        found.add_photos_of("c", FACES - 4, taken_at="2018-01-01T00:00:00")
        yield found


class Series:
    """A library that begins without people, and the ids that it ever had."""

    def __init__(self, rows: FaceRows) -> None:
        self.rows = rows
        with rows.writing() as connection:
            for table in ("journal_change", "journal", "individual_summary", *reversed(TABLES)):
                connection.execute(text(f"DELETE FROM {table}"))
            documents.refresh(connection, connection.execute(select(photo.c.id)).scalars().all())
            self.last_id = connection.execute(
                text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'individual'")
            ).scalar_one()
        for start in (1, 5, 9):
            faces = [1, 3, 5, 6] if start == 1 else [2, 4, 7, 8] if start == 5 else [9, 10, 11]
            rows.add_person(None, faces, how=How.CLUSTER)
        self.first_id = self.last_id + 1

    def state(self) -> dict[str, list[Any]]:
        """Return all rows about people."""
        with self.rows.library.database.read() as connection:
            return {one: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {one}")))) for one in TABLES}

    def person(self, number: int) -> str:
        return str(self.first_id + number)

    def decide(self, what: str, number: int, given: Any) -> PeopleChanged:
        """Carry out one decision."""
        library, person = self.rows.library, self.person(number)
        faces = [f"f{one}" for one in given] if isinstance(given, list) else []
        if what == "name":
            return changes.name(library, person, given)
        if what == "merge":
            return changes.merge(library, person, [self.person(given)])
        if what == "split":
            return changes.split(library, person, faces)
        if what.startswith("confirm"):
            return changes.confirm(library, person, faces)
        if what == "reject":
            return changes.reject(library, person, faces)
        if what == "ignore":
            return attributes.ignore(library, [person, f"f{given}"])
        if what == "apart":
            return attributes.keep_apart(library, person, self.person(given))
        return attributes.set_birth(library, person, given)

    def group(self, number: int, faces: list[int]) -> None:
        """Give faces to a person as grouping does: none that a person's word is about, and none against it."""
        person = int(self.person(number))
        with self.rows.writing() as connection:
            known = connection.execute(select(individual.c.id).where(individual.c.id == person)).first()
            fixed = set(
                connection.execute(select(assignment.c.region_id).where(assignment.c.how != "cluster")).scalars()
            )
            never = select(rejection.c.region_id).where(rejection.c.individual_id == person)
            free = set(faces) - fixed - set(connection.execute(never).scalars())
            if known is None or not free:
                return
            connection.execute(assignment.delete().where(assignment.c.region_id.in_(free)))
            made = [{"region_id": one, "individual_id": person, "how": "cluster", "at": 1.0} for one in sorted(free)]
            connection.execute(insert(assignment), made)
            faces_of = select(region.c.asset_id).where(region.c.id.in_(free))
            documents.refresh_assets(connection, connection.execute(faces_of).scalars().all())

    def check(self) -> None:
        """Check what must always hold."""
        with self.rows.library.database.read() as connection:
            assigned = connection.execute(select(assignment)).all()
            rejected = {(row.region_id, row.individual_id) for row in connection.execute(select(rejection))}
            known = set(connection.execute(select(individual.c.id)).scalars())
        assert len({row.region_id for row in assigned}) == len(assigned)
        assert not rejected & {(row.region_id, row.individual_id) for row in assigned}
        assert {row.individual_id for row in assigned} <= known
        fixed = {row.region_id: row.individual_id for row in assigned if row.how == "confirmed"}
        assert all(one not in fixed or fixed.get(one) != fixed.get(one + 1) for one in (1, 3))
        counted = {one.person.id: one.summary.faces for one in list_people(self.rows.library, Which.ALL).people}
        assert counted == {one: sum(row.individual_id == one for row in assigned) for one in known}
        self.check_names()

    def check_names(self) -> None:
        """Check that search by words finds everybody by their name: refreshing all documents changes none."""
        before = self.rows.names()
        with self.rows.writing() as connection:
            documents.refresh(connection, connection.execute(select(photo.c.id)).scalars().all())
        assert before == self.rows.names()


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(decisions, decisions, undos), min_size=1, max_size=10))
def test_undo_and_redo_restore_every_row_and_refused_decisions_change_nothing(
    rows: FaceRows, steps: list[tuple[str, int, Any]]
) -> None:
    series = Series(rows)
    done: list[tuple[int, dict[str, list[Any]], dict[str, list[Any]]]] = []
    undone: list[tuple[int, dict[str, list[Any]]]] = []
    seen: set[int] = set()
    for what, number, value in steps:
        before = series.state()
        if what == "undo" and done:
            entry, earlier, later = done.pop()
            undoing = undo(rows.library, entry).undone_by
            assert series.state() == earlier
            assert undoing is not None
            undone.append((undoing, later))
        elif what == "redo" and undone:
            undoing, later = undone.pop()
            redone = undo(rows.library, undoing).undone_by
            assert series.state() == later
            assert redone is not None
            # To take a redo back is to undo its entry.
            done.append((redone, before, later))
        elif what not in ("undo", "redo"):
            try:
                changed = series.decide(what, number, value)
            except PhotoIndexError:
                assert series.state() == before
                continue
            after = series.state()
            if changed.entry_id is None:
                assert after == before
                continue
            added = {row[0] for row in after["individual"]} - {row[0] for row in before["individual"]}
            assert not added & seen
            seen |= added | {row[0] for row in before["individual"]}
            done.append((changed.entry_id, before, after))
            undone.clear()
        series.check()


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(decisions, groupings, undos), min_size=1, max_size=10))
def test_a_persons_word_is_kept_whatever_is_grouped_in_between(
    rows: FaceRows, steps: list[tuple[str, int, Any]]
) -> None:
    series = Series(rows)
    done: list[int] = []
    for what, number, value in steps:
        if what == "group":
            series.group(number, value)
            with rows.writing() as connection:
                connection.execute(text("DELETE FROM individual_summary"))
            continue
        if what in ("undo", "redo"):
            before = series.state()
            try:
                entry = undo(rows.library, done.pop()).undone_by if done else None
            except PhotoIndexError:
                assert series.state() == before
                continue
            done += [entry] if what == "redo" and entry is not None else []
        else:
            with suppress(PhotoIndexError):
                changed = series.decide(what, number, value)
                done += [changed.entry_id] if changed.entry_id is not None else []
        series.check()
