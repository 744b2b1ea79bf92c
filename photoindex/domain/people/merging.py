"""Merging groups whose faces are alike on average: one person at several occasions."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.cluster_quality import Means, means_of
from photoindex.domain.people.constraints import NOBODY, Rules
from photoindex.domain.people.grouping_values import WAITING, Found, Search, Vectors

NEAREST_GROUPS = 16
_SHARED_PHOTOS = 0.02
"""Groups with more common photos than this share of the smaller one are two people."""

Labels = NDArray[np.int64]


def merged(labels: Labels, vectors: Vectors, rules: Rules, minimum: float, search: Search) -> Labels:
    """Return the groups after merging those with a mean cosine of at least `minimum` over all pairs of their faces.

    The most alike are merged first (average linkage). A sudden change of light, age or camera splits a person for
    HDBSCAN, which looks at single faces; the mean over many pairs tells strangers apart much better than one pair does.
    Groups are not merged against what is known, nor where both are in the same photos.
    """
    groups = means_of(labels, vectors)
    if len(groups.labels) < 2:
        return labels
    pool = _Pool(labels, groups.labels, rules)
    linkage = _Linkage(groups, minimum, search.nearest(groups.means, groups.means, NEAREST_GROUPS + 1))
    while (pair := linkage.most_alike()) is not None:
        if pool.may_merge(*pair):
            pool.merge(*pair)
            linkage.merge(*pair)
    roots = linkage.roots()
    result = labels.copy()
    grouped = labels != WAITING
    result[grouped] = groups.labels[roots[np.searchsorted(groups.labels, labels[grouped])]]
    return result


class _Linkage:
    """Which groups are most alike, by their rows, while they are merged."""

    def __init__(self, groups: Means, minimum: float, found: Found) -> None:
        self._sums = groups.means * groups.faces[:, None].astype(np.float32)
        self._faces = groups.faces.tolist()
        self._parent = list(range(len(self._faces)))
        self._minimum = minimum
        self._near: list[set[int]] = [set() for _ in self._faces]
        self._cosines: dict[tuple[int, int], float] = {}
        """The newest cosine of each pair; older ones are still in the queue."""
        self._queue: list[tuple[float, int, int]] = []
        others, cosines = found
        row, column = np.nonzero((others >= 0) & (cosines >= minimum) & (others != np.arange(len(others))[:, None]))
        for one, other, cosine in zip(
            row.tolist(), others[row, column].tolist(), cosines[row, column].tolist(), strict=True
        ):
            self._add(one, other, cosine)

    def most_alike(self) -> tuple[int, int] | None:
        """Take the most alike pair out of the queue; None if no groups are alike enough."""
        while self._queue:
            score, one, other = heapq.heappop(self._queue)
            if self._parent[one] == one and self._parent[other] == other and self._cosines[one, other] == -score:
                return one, other
        return None

    def merge(self, one: int, other: int) -> None:
        """Merge the second group into the first."""
        self._parent[other] = one
        self._sums[one] += self._sums[other]
        self._faces[one] += self._faces[other]
        self._near[one] = {row for row in self._near[one] | self._near[other] if self._parent[row] == row} - {one}
        rows = sorted(self._near[one])
        counts = np.array([self._faces[row] for row in rows], np.float32) * self._faces[one]
        for row, cosine in zip(rows, (self._sums[rows] @ self._sums[one] / counts).tolist(), strict=True):
            self._add(one, row, cosine)

    def roots(self) -> NDArray[np.int64]:
        """Return the group into which each was merged in the end."""
        for row in range(len(self._parent)):
            while self._parent[self._parent[row]] != self._parent[row]:
                self._parent[row] = self._parent[self._parent[row]]
        return np.array(self._parent, np.int64)

    def _add(self, one: int, other: int, cosine: float) -> None:
        self._near[one].add(other)
        self._near[other].add(one)
        pair = min(one, other), max(one, other)
        self._cosines[pair] = cosine
        if cosine >= self._minimum:
            heapq.heappush(self._queue, (-cosine, *pair))


class _Pool:
    """The persons and photos of each group, by its row."""

    def __init__(self, labels: Labels, numbers: NDArray[np.int64], rules: Rules) -> None:
        self._rules = rules
        grouped = np.flatnonzero(labels != WAITING)
        rows = np.searchsorted(numbers, labels[grouped])
        order = np.argsort(rows, kind="stable")
        bounds = np.searchsorted(rows[order], np.arange(len(numbers) + 1))
        self._members = [grouped[order[start:stop]] for start, stop in itertools.pairwise(bounds)]

    def may_merge(self, one: int, other: int) -> bool:
        """Return whether nothing that is known makes two groups different people."""
        rules = self._rules
        here, there = self._members[one], self._members[other]
        shared = len(np.intersect1d(rules.photo[here], rules.photo[there]))
        if shared > _SHARED_PHOTOS * min(len(here), len(there)):
            return False
        confirmed = np.unique(rules.person[np.concatenate([here, there])])
        if np.count_nonzero(confirmed != NOBODY) > 1:
            return False
        return self._may_hold(here, there) and self._may_hold(there, here)

    def _may_hold(self, here: NDArray[np.int64], there: NDArray[np.int64]) -> bool:
        """Return whether the faces there may be the persons that the faces here are held for."""
        persons = np.unique(self._rules.held[here])
        others = np.unique(self._rules.held[there]).tolist()
        return not any(
            any(self._rules.differ(person, other) for other in others) or self._rules.may_not_be(person, there).any()
            for person in persons[persons != NOBODY].tolist()
        )

    def merge(self, one: int, other: int) -> None:
        """Let the first group take the members of the second."""
        self._members[one] = np.concatenate([self._members[one], self._members[other]])
        self._members[other] = self._members[other][:0]
