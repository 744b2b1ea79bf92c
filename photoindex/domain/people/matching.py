"""Which person each new group is, so that persons keep their ids when all faces are grouped again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import WAITING


class Change(StrEnum):
    """What becomes of a face.

    It gets a person (JOINED, NEW if the person is new), another one (MOVED, SPLIT if that one is new), none (LEFT), or
    nothing changes (SAME).
    """

    JOINED = "joined"
    NEW = "new"
    MOVED = "moved"
    SPLIT = "split"
    LEFT = "left"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Current:
    """The faces before they are grouped again.

    person: int64 [n], WAITING for none. fixed: bool [n], confirmed or named in metadata. photo: int64 [n], negative and
    unique where the photo may show a person more than once. decided: persons that someone made something of (named,
    merged, confirmed): they may be several groups, such as child and adult. impossible: person -> positions of faces
    that cannot be them.
    """

    person: NDArray[np.int64]
    fixed: NDArray[np.bool_]
    photo: NDArray[np.int64]
    decided: Collection[int]
    impossible: Mapping[int, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Plan:
    """persons: int64 [n], the person of each face; WAITING for none; -2, -3, … for the first, second, … new person.

    new: how many new persons. changes: what becomes of each face, [n].
    """

    persons: NDArray[np.int64]
    new: int
    changes: NDArray[np.str_]


def matched(labels: NDArray[np.int32], current: Current) -> Plan:
    """Return the person of each face after grouping; labels: int32 [n], WAITING for none.

    A group is the person of its confirmed faces, else the one that most of its faces were grouped as before. A person
    that nobody decided anything about is one group at most: the one with most of its faces.
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
    return Plan(persons, fresh, _changes(persons, current))


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


def _changes(persons: NDArray[np.int64], current: Current) -> NDArray[np.str_]:
    before = current.person
    changes = np.full(len(persons), Change.SAME, "U6")
    changes[(before == WAITING) & (persons >= 0)] = Change.JOINED
    changes[(before == WAITING) & (persons < WAITING)] = Change.NEW
    changes[(before != WAITING) & (persons != before)] = Change.MOVED
    changes[(before != WAITING) & (persons < WAITING)] = Change.SPLIT
    changes[(before != WAITING) & (persons == WAITING)] = Change.LEFT
    return changes
