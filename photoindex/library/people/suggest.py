"""Suggests who may be one person: groups without a name that look like somebody, and lives in several groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photoindex.library.handle import Library
from photoindex.library.people.arguments import find_person
from photoindex.library.people.groups.grouping_input import GroupingInput, grouping_input
from photoindex.library.people.groups.likely import Evidence, Likely, likely_same
from photoindex.progress import EventSink, ignore_events
from photoindex.store.people import faces, individuals, summaries
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.search.targets import first_paths

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Example:
    """Two faces that are alike: of the one person and of the other, each with a path of its photo. cosine: -1 to 1."""

    face: int
    path: bytes
    other_face: int
    other_path: bytes
    cosine: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """People who may be one. people: the one to keep, then those to merge into it, with their numbers of faces.

    kind: alike, or years for a life in groups of successive years. confidence: 0 to 1. examples: the most alike faces.
    """

    people: tuple[tuple[IndividualRow, int], ...]
    kind: str
    confidence: float
    examples: tuple[Example, ...]


def suggest(
    library: Library, written: str | None = None, *, limit: int | None = None, emit: EventSink = ignore_events
) -> list[Suggestion]:
    """Return suggestions, those about somebody with a name first, then the surest first; at most `limit`.

    written: number or name of the person that all are about. Strangers, hidden people, those who were said not to be the
    same, and groups with a face that was said not to be the other person are left out. Raises NothingFound.
    """
    about = None
    if written is not None:
        with library.database.read() as connection:
            about = find_person(connection, written).id
    given = grouping_input(library, emit)
    never = _rejecting(given)
    found = [
        one
        for one in likely_same(library, given, emit)
        if (about is None or about in one.persons) and not any(_pair(link) in never for link in one.evidence)
    ]
    named = given.named
    found.sort(key=lambda one: (not named.intersection(one.persons), -one.confidence, one.persons))
    return _with_rows(library, found[:limit])


def _rejecting(given: GroupingInput) -> set[frozenset[int]]:
    """Return the pairs of people where a face of one was rejected from the other."""
    wanted = {face for face, _ in given.decisions.rejected}
    holders = zip(given.rows.ids.tolist(), given.rows.persons.tolist(), strict=True)
    holder = {face: person for face, person in holders if face in wanted}
    return {frozenset((holder[face], person)) for face, person in given.decisions.rejected if face in holder}


def _pair(link: Evidence) -> frozenset[int]:
    return frozenset((link.person, link.other))


def _with_rows(library: Library, found: Sequence[Likely]) -> list[Suggestion]:
    people = sorted({person for one in found for person in one.persons})
    shown = sorted({face for one in found for link in one.evidence for pair in link.nearest for face in pair[:2]})
    with library.database.read() as connection:
        rows = individuals.by_ids(connection, people)
        counted = summaries.of(connection, people)
        photos = {face.id: face.photo_id for face in faces.by_ids(connection, shown).values()}
        paths: dict[int, bytes] = {}
        wanted = sorted(set(photos.values()))
        for start in range(0, len(wanted), _CHUNK):
            paths.update(first_paths(connection, wanted[start : start + _CHUNK]))
    by_face = {face: paths.get(photo, b"") for face, photo in photos.items()}
    return [
        Suggestion(
            tuple((rows[person], counted[person].faces) for person in one.persons),
            one.kind.value,
            one.confidence,
            tuple(_examples(one.evidence, by_face)),
        )
        for one in found
        # Somebody may have merged or removed one of them in the meantime.
        if all(person in rows for person in one.persons)
    ]


def _examples(evidence: Iterable[Evidence], paths: dict[int, bytes]) -> Iterable[Example]:
    for link in evidence:
        for face, other, cosine in link.nearest:
            yield Example(face, paths.get(face, b""), other, paths.get(other, b""), cosine)
