"""Chooses the groups of faces that a person should look at, and the faces of each to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.people.arguments import find_person
from photoindex.store.people import individuals, review
from photoindex.store.people.hidden import Also
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.review import GroupRow, ShownFace

FACES = 500
"""How many faces a page shows unless told otherwise: some 4 MB."""
UNNAMED, SUGGESTED, UNREVIEWED = "unnamed", "suggested", "unreviewed"
_SHARES = {UNNAMED: 2, SUGGESTED: 4, UNREVIEWED: 4}
"""Kind of a group -> which part of the faces (half, a quarter) are its own; what one kind leaves, the others use."""
_SUREST, _LEAST_SURE = 16, 8
"""Faces shown of a group: enough to recognise somebody, and to see who does not belong."""
_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What to review: persons by number or name (none: everybody), at most `limit` faces; hidden, sensitive: also such photos."""

    persons: Sequence[str] = ()
    limit: int = FACES
    hidden: bool = False
    sensitive: bool = False

    @property
    def also(self) -> Also:
        """What is shown, too."""
        return Also(self.hidden, self.sensitive)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The named person that a group may be, with a certainty from 0 to 1. examples: faces of the person to show beside it."""

    person_id: int
    certainty: float
    examples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenGroup:
    """A group to show. person: whose faces they are, or may be; None for somebody unknown. examples: of that person."""

    row: GroupRow
    kind: str
    person: IndividualRow | None
    certainty: float | None
    faces: Sequence[ShownFace]
    examples: Sequence[ShownFace]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to show. left: groups beyond the limit. persons: everybody with a name, with the number of their faces."""

    groups: Sequence[ChosenGroup]
    left: int
    persons: Sequence[tuple[IndividualRow, int]]


def choose(connection: Connection, request: ReviewRequest, suggestions: Mapping[int, Suggestion]) -> Choice:
    """Return the groups to show, as many as fit.

    First those without a name, largest first; then those that look like a named person, the surest first; then persons with
    faces that only the program assigned, those with most of them first. suggestions: group -> the person it may be. Raises NothingFound for an unknown person.
    """
    wanted = {find_person(connection, one).id for one in request.persons}
    rows = review.groups(connection, request.also)
    counted = {row.individual_id: row.faces for row in rows}
    named = {one.id: one for one in individuals.named(connection) if not one.ignored}
    persons = {one.id: one for one in named.values() if request.also.hidden or not one.hidden}
    suggestions = {group: one for group, one in suggestions.items() if one.person_id in persons}
    kinds = _by_kind([row for row in rows if _is_wanted(row, wanted, suggestions)], suggestions)
    fitting = _fitting(kinds, request.limit)
    faces = _faces(connection, fitting, request.also)
    suggested = [suggestions[row.individual_id] for row, _ in fitting[SUGGESTED]]
    examples = _examples(connection, suggested, request.also)
    groups = []
    for kind, some in fitting.items():
        for row, count in some:
            suggestion = suggestions.get(row.individual_id) if kind == SUGGESTED else None
            person_id = row.individual_id if suggestion is None else suggestion.person_id
            groups.append(
                ChosenGroup(
                    row,
                    kind,
                    persons.get(person_id),
                    None if suggestion is None else suggestion.certainty,
                    faces[row.individual_id][:count],
                    [] if suggestion is None else examples[suggestion],
                )
            )
    left = sum(map(len, kinds.values())) - len(groups)
    return Choice(groups, left, [(one, counted.get(one.id, 0)) for one in persons.values()])


def _examples(connection: Connection, suggested: Sequence[Suggestion], also: Also) -> dict[Suggestion, list[ShownFace]]:
    """Return the examples of each suggestion, filled up with the surest faces of the person."""
    known = [one.person_id for one in suggested]
    surest = review.faces(connection, known, surest=_EXAMPLES, least_sure=0, unreviewed=False, also=also)
    nearest = review.faces_by_id(connection, [face for one in suggested for face in one.examples], also)
    found = {}
    for one in suggested:
        own = [nearest[face] for face in one.examples if face in nearest]
        more = [face for face in surest.get(one.person_id, []) if face not in own]
        found[one] = [*own, *more][:_EXAMPLES]
    return found


def _is_wanted(row: GroupRow, wanted: set[int], suggestions: Mapping[int, Suggestion]) -> bool:
    suggestion = suggestions.get(row.individual_id)
    return not wanted or row.individual_id in wanted or (suggestion is not None and suggestion.person_id in wanted)


def _by_kind(rows: Sequence[GroupRow], suggestions: Mapping[int, Suggestion]) -> dict[str, list[GroupRow]]:
    unnamed = [row for row in rows if row.name is None]
    suggested = [row for row in unnamed if row.individual_id in suggestions]
    unreviewed = [row for row in rows if row.name is not None and row.unreviewed]
    return {
        UNNAMED: [row for row in unnamed if row.individual_id not in suggestions],
        SUGGESTED: sorted(suggested, key=lambda row: -suggestions[row.individual_id].certainty),
        UNREVIEWED: sorted(unreviewed, key=lambda row: (-row.unreviewed, row.individual_id)),
    }


def _fitting(kinds: Mapping[str, Sequence[GroupRow]], limit: int) -> dict[str, list[tuple[GroupRow, int]]]:
    """Return the groups that fit, each with how many faces are shown of it; the last one may be cut."""
    places = dict.fromkeys(kinds, 0)
    left = limit
    for shares in (_SHARES, dict.fromkeys(kinds, 1)):
        for kind, rows in kinds.items():
            own = min(left, limit // shares[kind])
            while own > 0 and places[kind] < len(rows):
                count = _shown_of(rows[places[kind]], kind)
                places[kind] += 1
                own -= count
                left -= count
    fitting: dict[str, list[tuple[GroupRow, int]]] = {kind: [] for kind in kinds}
    left = limit
    for kind, rows in kinds.items():
        for row in rows[: places[kind]]:
            count = min(left, _shown_of(row, kind))
            if count > 0:
                fitting[kind].append((row, count))
                left -= count
    return fitting


def _shown_of(row: GroupRow, kind: str) -> int:
    return min(_SUREST + _LEAST_SURE, row.unreviewed if kind == UNREVIEWED else row.faces)


def _faces(
    connection: Connection, fitting: Mapping[str, Sequence[tuple[GroupRow, int]]], also: Also
) -> dict[int, list[ShownFace]]:
    found: dict[int, list[ShownFace]] = {}
    for kind, some in fitting.items():
        unreviewed = kind == UNREVIEWED
        surest, least_sure = (0, _SUREST + _LEAST_SURE) if unreviewed else (_SUREST, _LEAST_SURE)
        ids = [row.individual_id for row, _ in some]
        found |= review.faces(connection, ids, surest=surest, least_sure=least_sure, unreviewed=unreviewed, also=also)
    return found
