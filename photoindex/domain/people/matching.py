"""Which person each new group is, so that persons keep their ids when all faces are grouped again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import WAITING


@dataclass(frozen=True, slots=True)
class Current:
    """The faces before they are grouped again.

    person: int64 [n], WAITING for none. fixed: bool [n], confirmed or named in metadata. photo: int64 [n], negative and
    unique where the photo may show a person more than once. decided: persons that someone made something of (named,
    merged, confirmed, ignored, hidden): they may be several groups, such as child and adult. impossible: person -> positions of faces
    that cannot be them.
    """

    person: NDArray[np.int64]
    fixed: NDArray[np.bool_]
    photo: NDArray[np.int64]
    decided: Collection[int]
    impossible: Mapping[int, NDArray[np.int64]]


def matched(labels: NDArray[np.int32], current: Current) -> NDArray[np.int64]:
    """Return the person of each face after grouping, int64 [n]; labels: int32 [n], WAITING for none.

    WAITING for no person; -2, -3, … for the first, second, … new person.

    A group is the person of its confirmed faces, else the one that most of its faces were grouped as before. A person
    that nobody decided anything about is one group at most: the one with most of its faces. Where several groups become
    one person, a photo that all of them have a face of keeps the confirmed one, else that of the largest group.
    """
    persons = np.full(len(labels), WAITING, np.int64)
    owner = _owners(labels, current)
    numbers = np.unique(labels[labels != WAITING])
    fresh = 0
    for label in numbers.tolist():
        if label not in owner:
            owner[label] = -2 - fresh
            fresh += 1
    if len(numbers):
        table = np.array([owner[label] for label in numbers.tolist()], np.int64)
        grouped = labels != WAITING
        persons[grouped] = table[np.searchsorted(numbers, labels[grouped])]
    for person, faces in current.impossible.items():
        persons[faces[persons[faces] == person]] = WAITING
    persons[current.fixed] = current.person[current.fixed]
    _keep_one_of_a_photo(persons, labels, current)
    return persons


def _owners(labels: NDArray[np.int32], current: Current) -> dict[int, int]:
    """Return the person of each group that is an existing one."""
    known = np.flatnonzero((labels != WAITING) & (current.person != WAITING))
    pairs = np.stack([labels[known].astype(np.int64), current.person[known]], axis=1)
    unique, where = np.unique(pairs, axis=0, return_inverse=True)
    faces = np.bincount(where, minlength=len(unique)).tolist()
    fixed = np.bincount(where, current.fixed[known], minlength=len(unique)).tolist()
    owner: dict[int, int] = {}
    taken: set[int] = set()
    ranked = sorted(zip(fixed, faces, unique.tolist(), strict=True), key=lambda one: (-one[0], -one[1], one[2]))
    for sure, _, (label, person) in ranked:
        if label in owner or (person in taken and not sure and person not in current.decided):
            continue
        owner[label] = person
        taken.add(person)
    return owner


def _keep_one_of_a_photo(persons: NDArray[np.int64], labels: NDArray[np.int32], current: Current) -> None:
    """Let faces wait that would show a person twice in a photo; fixed ones stay."""
    known = np.flatnonzero((persons != WAITING) & (current.photo >= 0))
    sizes = np.bincount(labels + 1)
    sizes[0] = 0
    order = known[
        np.lexsort((known, -sizes[labels[known] + 1], ~current.fixed[known], current.photo[known], persons[known]))
    ]
    repeated = (np.diff(persons[order]) == 0) & (np.diff(current.photo[order]) == 0)
    later = order[1:][repeated]
    persons[later[~current.fixed[later]]] = WAITING
