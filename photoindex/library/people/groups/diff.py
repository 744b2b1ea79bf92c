"""Lists the changes of a grouping person by person, with example faces and their photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.groups.regrouping import NOBODY, Kind
from photoindex.library.handle import Library
from photoindex.library.people.groups.cluster import Clustering
from photoindex.library.people.groups.grouping_input import GroupingInput
from photoindex.library.search.hits import hits_by_id

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One change. person, name: who has the faces afterwards; None for a new group and for faces that wait.

    before, before_name: who had them; None for faces that waited. examples: the clearest faces; paths: of their photos.
    """

    kind: Kind
    faces: int
    person: int | None
    name: str | None
    before: int | None
    before_name: str | None
    examples: tuple[int, ...]
    paths: tuple[bytes, ...]


def diff(library: Library, found: Clustering) -> Iterator[DiffRow]:
    """Yield the changes of each person, the largest first."""
    given = found.given
    photos = hits_by_id(library, sorted({photo for one in found.changes for photo in _photos(given, one.faces)}))
    for change in found.changes:
        person, before = _person(change.after), _person(change.before)
        yield DiffRow(
            kind=change.kind,
            faces=len(change.faces),
            person=person,
            name=_name(given, person),
            before=before,
            before_name=_name(given, before),
            examples=tuple(change.faces[:EXAMPLES].tolist()),
            paths=tuple(photos[photo].path for photo in _photos(given, change.faces) if photo in photos),
        )


def _photos(given: GroupingInput, faces: NDArray[np.int64]) -> list[int]:
    """Return the photos of the example faces."""
    places = np.searchsorted(given.rows.ids, faces[:EXAMPLES])
    return [int(photo) for photo in given.rows.photos[places]]


def _person(number: int) -> int | None:
    return number if number > NOBODY else None


def _name(given: GroupingInput, person: int | None) -> str | None:
    return given.persons[person].name if person in given.persons else None
