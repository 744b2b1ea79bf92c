"""Which groups of faces may be one person: groups that are alike, and groups of successive years.

A child of two and the same child of eight are less alike than some strangers, but each year's face is like the next
one's. So a group is compared, at the end of its time, with the beginning of the groups that follow; where two are each
other's best, and more alike than such groups are by chance, they are linked. The chain of these links leads from the
child to the adult, and no threshold is lowered for all: by comparing only successive groups there are fewer chances to err.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import Found

YEAR = np.timedelta64(365, "D")
_OVERLAP = np.timedelta64(183, "D")
_GAP = 2 * YEAR
"""Successive groups overlap by at most half a year, and leave at most two years between them."""
_BLOCK = 512
_SAMPLE = 100_000
_ASSUMED_PAIRS = 30
"""The weight of the expected background, in pairs, beside what is measured."""

Means = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Background:
    """Cosines of groups of different people. The product of two means is the mean cosine of their faces."""

    mean: float
    deviation: float

    def confidence(self, cosine: float, pairs: int) -> float:
        """Return how sure it is, 0 to 1, that two groups are one person, if one of so many pairs is expected to be.

        Bayes' rule: the cosines of different people are normal, that of one person may be anywhere from their mean to 1.
        The chance of so high a cosine alone would not do: in two of three libraries, some pair of different people has
        one that is expected less than once.
        """
        of_different = NormalDist(self.mean, self.deviation).pdf(max(cosine, self.mean))
        return 1 / (1 + max(1, pairs) * of_different * (1 - self.mean))


@dataclass(frozen=True, slots=True)
class Link:
    """Two groups, by row, that may be one person; in a chain, `first` is the earlier one. confidence: 0 to 1."""

    first: int
    second: int
    cosine: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Spans:
    """When groups were photographed: first, last: datetime64[D] [g], NaT where unknown.

    beginning, end: float32 [g, dim], the means of the faces of the first and the last year.
    """

    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    beginning: Means
    end: Means


def background_of(cosines: NDArray[np.float32], expected: Background) -> Background:
    """Return the background in cosines of which most, not all, are of different people.

    The upper half is taken to be as wide as the lower one. expected: what counts while there are few cosines.
    """
    if not len(cosines):
        return expected
    weight = len(cosines) / (len(cosines) + _ASSUMED_PAIRS)
    middle = float(np.median(cosines))
    lower = cosines[cosines <= middle].astype(np.float64)
    deviation = float(np.sqrt(np.mean((lower - middle) ** 2)))
    return Background(
        weight * middle + (1 - weight) * expected.mean, weight * deviation + (1 - weight) * expected.deviation
    )


def alike(means: Means, nearest: Found, expected: Background) -> list[Link]:
    """Return pairs of groups that are more alike than by chance, the most certain first.

    means: float32 [g, dim]. nearest: the nearest groups of each, the candidates.
    """
    count = len(means)
    others = nearest[0]
    row, column = np.nonzero(others >= 0)
    first, second = np.minimum(row, others[row, column]), np.maximum(row, others[row, column])
    pairs = np.unique(np.stack([first, second], axis=1), axis=0)
    background = background_of(_random_cosines(means), expected)
    links = []
    for one, other in pairs.tolist():
        cosine = float(means[one] @ means[other])
        links.append(Link(one, other, cosine, background.confidence(cosine, count * (count - 1) // 2)))
    return sorted(links, key=lambda link: (-link.confidence, -link.cosine, link.first, link.second))


def _random_cosines(means: Means) -> NDArray[np.float32]:
    count = len(means)
    if count * (count - 1) // 2 <= _SAMPLE:
        one, other = np.triu_indices(count, 1)
    else:
        random = np.random.default_rng(count)
        one = random.integers(0, count, _SAMPLE)
        other = (one + random.integers(1, count, _SAMPLE)) % count
    return np.asarray((means[one] * means[other]).sum(axis=1), np.float32)


def successive(spans: Spans, expected: Background) -> list[Link]:
    """Return links from groups to those of the next years that are each other's best, the most certain first."""
    dated = np.flatnonzero(~np.isnat(spans.first))
    order = dated[np.argsort(spans.first[dated], kind="stable")]
    starts = spans.first[order]
    best_next = np.full((len(order), 2), -np.inf)
    best_before = np.full((len(order), 2), -np.inf)
    sample: list[NDArray[np.float32]] = []
    compared = 0
    for rows, low, high in _windows(spans, order, starts):
        cosines, valid = _compared(spans, order[rows], order[low:high])
        compared += int(valid.sum())
        if sum(map(len, sample)) < _SAMPLE:
            sample.append(cosines[valid])
        cosines = np.where(valid, cosines, -np.inf)
        _keep_best(best_next, rows, cosines.max(axis=1), low + cosines.argmax(axis=1))
        _keep_best(best_before, np.arange(low, high), cosines.max(axis=0), rows[cosines.argmax(axis=0)])
    background = background_of(np.concatenate(sample) if sample else np.zeros(0, np.float32), expected)
    links = []
    for row in np.flatnonzero(np.isfinite(best_next[:, 0])).tolist():
        cosine, following = best_next[row]
        if best_before[int(following), 1] == row:
            confidence = background.confidence(float(cosine), compared)
            links.append(Link(int(order[row]), int(order[int(following)]), float(cosine), confidence))
    return sorted(links, key=lambda link: (-link.confidence, -link.cosine, link.first, link.second))


def _windows(
    spans: Spans, order: NDArray[np.int64], starts: NDArray[np.datetime64]
) -> Iterator[tuple[NDArray[np.int64], int, int]]:
    """Yield rows of `order` with the range of rows that may follow them: groups that begin about when these end."""
    by_end = np.argsort(spans.last[order], kind="stable")
    for begin in range(0, len(order), _BLOCK):
        rows = by_end[begin : begin + _BLOCK]
        ends = spans.last[order[rows]]
        low = int(np.searchsorted(starts, ends.min() - _OVERLAP, "left"))
        high = int(np.searchsorted(starts, ends.max() + _GAP, "right"))
        if low < high:
            yield rows, low, high


def _compared(
    spans: Spans, ones: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the cosines of the ends of groups with the beginnings of others, and which of them are successive."""
    cosines = spans.end[ones] @ spans.beginning[others].T
    gap = spans.first[others][None, :] - spans.last[ones][:, None]
    valid = (gap >= -_OVERLAP) & (gap <= _GAP)
    valid &= spans.first[ones][:, None] < spans.first[others][None, :]
    valid &= spans.last[ones][:, None] < spans.last[others][None, :]
    return cosines, valid


def _keep_best(
    best: NDArray[np.float64], rows: NDArray[np.int64], cosines: NDArray[np.float32], places: NDArray[np.int64]
) -> None:
    better = cosines > best[rows, 0]
    best[rows[better], 0] = cosines[better]
    best[rows[better], 1] = places[better]


def chains(links: Sequence[Link]) -> list[list[Link]]:
    """Return the links as chains in order of time; each group has at most one link to a later and one from an earlier one."""
    following = {link.first: link for link in links}
    later = {link.second for link in links}
    found = []
    for start in sorted(set(following) - later):
        chain, place = [], start
        while place in following:
            chain.append(following[place])
            place = following[place].second
        found.append(chain)
    return found
