"""What a new grouping changes: which faces get another person, and how to tell people about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

NOBODY = 0
"""The person of a face that waits. Persons are their ids; groups that have none yet are -1, -2, ..."""


@dataclass(frozen=True, slots=True)
class Regrouping:
    """The faces whose person changes, in ascending order of their ids.

    faces: int64 [n]. before, after: int64 [n], the person, NOBODY, or the negative number of a new group (after only).
    scores: float32 [n], of the new person, 0 to 1.
    """

    faces: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    def some(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Regrouping:
        """Return the faces of a mask or of ascending positions."""
        return Regrouping(self.faces[chosen], self.before[chosen], self.after[chosen], self.scores[chosen])


class Kind(StrEnum):
    """What happens to faces.

    JOINED: waiting faces join a person. NEW: waiting faces become a group of their own. MOVED: from one person to
    another, who keeps others. MERGED: all faces of a person without a name go to another. SPLIT: some faces of a person
    become a group of their own. LEFT: they wait again.
    """

    JOINED = "joined"
    NEW = "new"
    MOVED = "moved"
    MERGED = "merged"
    SPLIT = "split"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Change:
    """Faces that go the same way. before, after: as in Regrouping. faces: int64 [n], the clearest first."""

    kind: Kind
    before: int
    after: int
    faces: NDArray[np.int64]


def regrouped(
    faces: NDArray[np.int64], before: NDArray[np.int64], after: NDArray[np.int64], scores: NDArray[np.float32]
) -> Regrouping:
    """Return what changes between two groupings of the same faces."""
    return Regrouping(faces, before, after, scores).some(before != after)


def changes(regrouping: Regrouping, kept: frozenset[int]) -> list[Change]:
    """Return the changes of each person, the largest first; kept: persons that have faces afterwards, too."""
    order = np.lexsort((-regrouping.scores, regrouping.after, regrouping.before))
    before, after = regrouping.before[order], regrouping.after[order]
    ends = np.flatnonzero((np.diff(before, append=-1) != 0) | (np.diff(after, append=0) != 0)) + 1
    found, start = [], 0
    for end in ends.tolist():
        one, other = int(before[start]), int(after[start])
        found.append(Change(_kind(one, other, kept), one, other, regrouping.faces[order[start:end]]))
        start = end
    return sorted(found, key=lambda each: (-len(each.faces), each.after, each.before))


def _kind(before: int, after: int, kept: frozenset[int]) -> Kind:
    if after == NOBODY:
        return Kind.LEFT
    if before == NOBODY:
        return Kind.NEW if after < 0 else Kind.JOINED
    if before not in kept:
        return Kind.MERGED
    return Kind.SPLIT if after < 0 else Kind.MOVED


def batches(regrouping: Regrouping, least: int) -> Iterator[Regrouping]:
    """Yield all changes in parts of about `least` faces, such that all changes of one person are in one part.

    So each person goes from what they were to what they will be in one step, however far the whole comes.
    """
    parts = _connected(regrouping)
    order = np.argsort(parts, kind="stable")
    ends = np.flatnonzero(np.diff(parts[order], append=-1) != 0) + 1
    start = 0
    for end in ends.tolist():
        if end - start >= least or end == len(order):
            yield regrouping.some(np.sort(order[start:end]))
            start = end


def _connected(regrouping: Regrouping) -> NDArray[np.int32]:
    """Return a number for each face, the same for faces that share a person, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    persons, places = np.unique(np.concatenate([regrouping.before, regrouping.after]), return_inverse=True)
    before, after = np.split(places, 2)
    # A face that waits before or after is no link between the persons of others.
    before = np.where(regrouping.before == NOBODY, after, before)
    after = np.where(regrouping.after == NOBODY, before, after)
    graph = coo_array((np.ones(len(before), np.int8), (before, after)), shape=(len(persons), len(persons)))
    parts: NDArray[np.int32] = connected_components(graph.tocsr(), directed=False)[1]
    return parts[before]
