"""Waiting faces join the groups of their nearest faces, where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.constraints import NOBODY, Rules
from photoindex.domain.people.grouping_values import WAITING, Found

_NEAREST = 3
"""How many of the nearest faces of a group decide which group a face joins."""

Labels = NDArray[np.int64]


def with_joined(
    labels: Labels, waiting: NDArray[np.int64], found: Found, rules: Rules, minimum: float
) -> NDArray[np.int64]:
    """Return the labels after these waiting faces, positions, joined the groups that they are like.

    labels: int64 [n]. found: the nearest grouped faces of each waiting face, as positions in `labels`. minimum: the
    cosine that a face needs with its nearest face of a group. Of a group's three nearest faces the mean decides; the most
    alike join first, so that of two faces in a photo the better one gets the place.
    """
    labels = labels.copy()
    state = _State(labels, waiting, rules)
    for row, label in _candidates(labels, found, minimum):
        face = int(waiting[row])
        if labels[face] == WAITING and state.may_join(face, label):
            labels[face] = label
            state.joined(face, label)
    return labels


def _candidates(labels: Labels, found: Found, minimum: float) -> Iterator[tuple[int, int]]:
    """Yield (row of `found`, label) of all groups that a face is like, the most alike first."""
    others, cosines = found
    row, column = np.nonzero(others >= 0)
    label, cosine = labels[others[row, column]], cosines[row, column]
    row, label, cosine = (one[label != WAITING] for one in (row, label, cosine))
    order = np.lexsort((-cosine, label, row))
    row, label, cosine = row[order], label[order], cosine[order]
    first = np.ones(len(row), np.bool_)
    first[1:] = (np.diff(row) != 0) | (np.diff(label) != 0)
    starts = np.flatnonzero(first)
    if not len(starts):
        return
    number = np.cumsum(first) - 1
    rank = np.arange(len(row)) - starts[number]
    counted = rank < _NEAREST
    sums = np.bincount(number[counted], cosine[counted], minlength=len(starts))
    missing = _NEAREST - np.bincount(number[counted], minlength=len(starts))
    # A group with fewer faces among the nearest has others that are further away than all of these.
    furthest = np.where(others >= 0, cosines, np.inf).min(axis=1)
    likeness = (sums + missing * furthest[row[starts]]) / _NEAREST
    kept = cosine[starts] >= minimum
    starts, likeness = starts[kept], likeness[kept]
    for place in starts[np.lexsort((row[starts], -likeness))].tolist():
        yield int(row[place]), int(label[place])


class _State:
    """Who is in each group, and which photos a group has a face of already."""

    def __init__(self, labels: Labels, waiting: NDArray[np.int64], rules: Rules) -> None:
        self._rules = rules
        grouped = np.flatnonzero((labels != WAITING) & np.isin(rules.photo, rules.photo[waiting]))
        self._photos = set(zip(labels[grouped].tolist(), rules.photo[grouped].tolist(), strict=True))
        held = np.flatnonzero((labels != WAITING) & (rules.held != NOBODY))
        self._persons: dict[int, dict[int, bool]] = {}
        for label, person, confirmed in zip(
            labels[held].tolist(), rules.held[held].tolist(), (rules.person[held] != NOBODY).tolist(), strict=True
        ):
            here = self._persons.setdefault(label, {})
            here[person] = here.get(person, False) or confirmed

    def may_join(self, face: int, label: int) -> bool:
        rules = self._rules
        if (label, int(rules.photo[face])) in self._photos:
            return False
        own, held = int(rules.person[face]), int(rules.held[face])
        for person, confirmed in self._persons.get(label, {}).items():
            if rules.is_impossible(person, face) or rules.differ(person, held):
                return False
            if own != NOBODY and confirmed and person != own:
                return False
        return True

    def joined(self, face: int, label: int) -> None:
        self._photos.add((label, int(self._rules.photo[face])))
        held = int(self._rules.held[face])
        if held != NOBODY:
            here = self._persons.setdefault(label, {})
            here[held] = here.get(held, False) or int(self._rules.person[face]) != NOBODY
