"""Lists people, and shows one with the faces that need a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from photoindex.domain.people.lifetimes import taken_on
from photoindex.domain.people.names import name_key
from photoindex.library.handle import Library
from photoindex.library.people.arguments import find_person
from photoindex.library.people.decisions import rules
from photoindex.library.people.summaries import make_summaries
from photoindex.store.people import apart, faces, individuals, listing, summaries
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.summaries import Summary
from photoindex.store.search.targets import first_paths

_CHUNK = 500


class Which(Enum):
    """Which people to list. USUAL: those with a name and the largest groups without one."""

    USUAL = "usual"
    NAMED = "named"
    UNNAMED = "unnamed"
    IGNORED = "ignored"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One person with the counts of their faces; cover_id: the face that shows them."""

    person: IndividualRow
    summary: Summary

    @property
    def cover_id(self) -> int | None:
        """The face that was chosen, else the best one."""
        return self.person.cover_id or self.summary.cover_id


@dataclass(frozen=True, slots=True)
class PeopleList:
    """People, those with a name first and then groups, largest first; left: groups that the limit left out; ignored: strangers."""

    people: tuple[ListedPerson, ...]
    left: int
    ignored: int


@dataclass(frozen=True, slots=True)
class ListedFace:
    """A face and a path of its photo; why: what is wrong with it, None as a rule."""

    face: FaceRow
    path: bytes
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """One person. names: further names in metadata, folded. apart: people who are not the same. rejected: faces that are not theirs.

    years: year -> faces, None for photos without a time. doubtful: faces that grouping is least sure of. conflicts: faces
    that cannot be theirs.
    """

    listed: ListedPerson
    names: tuple[str, ...]
    apart: tuple[IndividualRow, ...]
    rejected: int
    years: tuple[tuple[str | None, int], ...]
    doubtful: tuple[ListedFace, ...]
    conflicts: tuple[ListedFace, ...]


def list_people(library: Library, which: Which = Which.USUAL, *, limit: int | None = None) -> PeopleList:
    """Return people; limit: of the groups without a name."""
    make_summaries(library)
    with library.database.read() as connection:
        ids: list[int] = []
        left = 0
        if which in (Which.USUAL, Which.NAMED):
            ids += [one.id for one in individuals.named(connection) if not one.ignored]
        if which in (Which.USUAL, Which.UNNAMED):
            unnamed = listing.count_unnamed(connection)
            largest = summaries.largest_unnamed(connection, unnamed if limit is None else limit)
            ids += largest
            left = max(0, unnamed - len(largest))
        if which is Which.IGNORED:
            ids = listing.ignored_ids(connection)
        elif which is Which.ALL:
            ids = listing.all_ids(connection)
        rows = individuals.by_ids(connection, ids)
        counted = summaries.of(connection, ids)
        ignored = listing.count_ignored(connection)
    people = [ListedPerson(rows[one], counted[one]) for one in ids if one in rows]
    if which in (Which.ALL, Which.IGNORED):
        people.sort(key=_order)
    return PeopleList(tuple(people), left, ignored)


def _order(one: ListedPerson) -> tuple[bool, str, bool, int, int]:
    name = name_key(one.person.name) if one.person.name else ""
    return not name, name, one.person.ignored, -one.summary.faces, one.person.id


def show_person(library: Library, written: str, *, doubtful: int = 10) -> PersonDetails:
    """Return the details of a person, given by number or name, with so many doubtful faces. Raises NothingFound."""
    make_summaries(library)
    with library.database.read() as connection:
        person = find_person(connection, written)
        shown = [one for one in faces.of_individual(connection, person.id) if one.counted]
        others = individuals.by_ids(connection, sorted(apart.of_individual(connection, person.id)))
        grouped = sorted(
            (one for one in shown if not rules.is_fixed(one)), key=lambda one: (one.certainty or 0.0, one.id)
        )
        return PersonDetails(
            listed=ListedPerson(person, summaries.of(connection, [person.id])[person.id]),
            names=tuple(sorted(apart.aliases_of(connection, person.id) - {name_key(person.name or "")})),
            apart=tuple(others.values()),
            rejected=listing.count_rejections(connection, person.id),
            years=_years(shown),
            doubtful=_with_paths(connection, grouped[:doubtful], {}),
            conflicts=_conflicts(connection, person, shown),
        )


def faces_of(library: Library, written: str) -> list[ListedFace]:
    """Return all faces of a person, by time of their photos and number. Raises NothingFound."""
    with library.database.read() as connection:
        person = find_person(connection, written)
        found = sorted(faces.of_individual(connection, person.id), key=lambda one: (one.taken_at or "~", one.id))
        return list(_with_paths(connection, found, _reasons(connection, person, found)))


def _years(shown: Sequence[FaceRow]) -> tuple[tuple[str | None, int], ...]:
    days = (taken_on(one.taken_at, one.taken_at_precision, one.taken_at_source) for one in shown)
    counted = Counter(None if day is None else day[:4] for day in days)
    return tuple(sorted(counted.items(), key=lambda one: one[0] or "~"))


def _conflicts(connection: Connection, person: IndividualRow, shown: Sequence[FaceRow]) -> tuple[ListedFace, ...]:
    reasons = _reasons(connection, person, shown)
    return _with_paths(connection, [one for one in shown if one.id in reasons], reasons)


def _reasons(connection: Connection, person: IndividualRow, shown: Sequence[FaceRow]) -> dict[int, str]:
    """Return face -> why it cannot be the person's."""
    reasons = rules.outside_life(person, shown)
    by_asset = Counter(one.asset_id for one in shown)
    crowded = {asset_id for asset_id, count in by_asset.items() if count > 1}
    crowded -= faces.with_repeats(connection, crowded)
    twice = {one.id: "they are twice in this photo" for one in shown if one.asset_id in crowded}
    return twice | reasons


def _with_paths(connection: Connection, shown: Sequence[FaceRow], reasons: dict[int, str]) -> tuple[ListedFace, ...]:
    paths: dict[int, bytes] = {}
    photos = sorted({one.photo_id for one in shown})
    for start in range(0, len(photos), _CHUNK):
        paths.update(first_paths(connection, photos[start : start + _CHUNK]))
    return tuple(ListedFace(one, paths.get(one.photo_id, b""), reasons.get(one.id)) for one in shown)
