"""Thresholds for one model, measured on labelled faces or, without labels, on who is together in a photo."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import Thresholds, Vectors

LINK_CHANCE = 0.05
"""How many false links a face may be expected to have, of all faces of the library."""
JOIN_CHANCE = 0.01
"""How many false groups a face may be expected to join: a precision of 0.99."""
SURE_CHANCE = 0.05
"""How many pairs of different people may be expected, in the whole library, to be called surely the same."""
LABELLED_PAIRS_LEAST = 1_000
LABELLED_PEOPLE_LEAST = 10
"""Fewer labelled pairs of different people, or people, do not replace the measurement without labels."""
_PAIRS_MAX = 200_000
_PAIRS_OF_TWO_PEOPLE = 50
"""So that people with thousands of faces do not decide alone."""
_ASSUMED_PAIRS = 30
"""The weight of what is assumed before anything is measured."""
_HEAP_LEAST = 10
"""Fewer pairs do not show whether they are one heap or two."""
_HEAPS_APART = 4.0
"""Standard deviations between the means of two heaps; halves of one normal distribution have 2.6."""
_UNRELATED = 3.0
"""Standard deviations of the cosine of unrelated vectors; faces of different people are alike by less on average."""
_TAIL_LEVELS = (0.9, 0.95, 0.99)
_TAIL_LEAST = 20
"""A level of the tail counts if at least this many pairs are above it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How alike faces of different people are, by one model.

    source: "labels", "photos" (different faces of one photo are different people) or "random" (random pairs of faces,
    where too few photos show several). mean, deviation: of the cosines of different people; the deviation is that of the
    upper tail where it is wider. pairs: how many were measured. highest: the largest cosine among them. same_pairs:
    labelled pairs of one person; same_low, same_median: the 5 % quantile and the median of their cosines.
    """

    source: str
    mean: float
    deviation: float
    pairs: int
    highest: float
    same_pairs: int = 0
    same_low: float | None = None
    same_median: float | None = None

    def cosine_by_chance(self, chance: float) -> float:
        """Return the cosine that a pair of different people exceeds with this chance, 0 to 0.5."""
        return min(0.99, self.mean - self.deviation * NormalDist().inv_cdf(min(max(chance, 1e-300), 0.5)))

    def thresholds(self, faces: int) -> Thresholds:
        """Return the thresholds for a library of so many faces: the more there are, the more alike some strangers are."""
        others = max(1, faces)
        return Thresholds(
            possible=self.cosine_by_chance(LINK_CHANCE / others),
            sure=self.cosine_by_chance(SURE_CHANCE / (others * (others + 1) / 2)),
            join=self.cosine_by_chance(JOIN_CHANCE / others),
        )


def calibrated(
    vectors: Vectors,
    photo: NDArray[np.int64],
    repeats_allowed: NDArray[np.bool_],
    person: NDArray[np.int64],
) -> Calibration:
    """Measure how alike faces of different people are, by the best source there is.

    vectors: [n, dim], unit length. photo: int64 [n]. repeats_allowed: bool [n], photos that may show one person twice.
    person: int64 [n], confirmed persons, -1 elsewhere.
    """
    labelled = np.flatnonzero(person >= 0)
    if len(np.unique(person[labelled])) >= LABELLED_PEOPLE_LEAST:
        found = from_labels(vectors[labelled], person[labelled])
        if found.pairs >= LABELLED_PAIRS_LEAST:
            return found
    return from_photos(vectors, np.where(repeats_allowed, -1 - np.arange(len(photo)), photo))


def from_labels(vectors: Vectors, person: NDArray[np.int64]) -> Calibration:
    """Measure on labelled faces: vectors [n, dim] of unit length, person int64 [n]."""
    one, other = _pairs(len(vectors))
    different = person[one] != person[other]
    between = _few_of_two_people(person[one[different]], person[other[different]])
    cosines = _cosines(vectors, one[different][between], other[different][between])
    same = _cosines(vectors, one[~different], other[~different])
    mean, deviation = _spread(cosines, vectors.shape[1])
    return Calibration(
        "labels",
        mean,
        deviation,
        len(cosines),
        float(cosines.max(initial=-1)),
        len(same),
        float(np.quantile(same, 0.05)) if len(same) else None,
        float(np.median(same)) if len(same) else None,
    )


def from_photos(vectors: Vectors, photo: NDArray[np.int64]) -> Calibration:
    """Measure on faces of one photo, which are different people; where there are few, on random pairs.

    photo: int64 [n]; unique numbers for faces of photos that may show a person twice.
    """
    one, other = _pairs_in_photos(photo)
    if len(one) >= LABELLED_PAIRS_LEAST:
        cosines = _cosines(vectors, one, other)
        return Calibration("photos", *_spread(cosines, vectors.shape[1]), len(cosines), float(cosines.max()))
    one, other = _pairs(len(vectors))
    cosines = _of_different_people(_cosines(vectors, one, other), vectors.shape[1])
    # Some pairs that are left are one person, so the upper half is taken to be as wide as the lower one.
    middle = float(np.median(cosines)) if len(cosines) else 0.0
    lower = cosines[cosines <= middle]
    mirrored = np.concatenate([lower, 2 * middle - lower])
    return Calibration("random", *_spread(mirrored, vectors.shape[1]), len(cosines), float(mirrored.max(initial=-1)))


def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs of positions below `count`, or a fixed random sample of them."""
    if count * (count - 1) // 2 <= _PAIRS_MAX:
        one, other = np.triu_indices(count, 1)
        return one.astype(np.int64), other.astype(np.int64)
    random = np.random.default_rng(count)
    one = random.integers(0, count, _PAIRS_MAX)
    return one, (one + random.integers(1, count, _PAIRS_MAX)) % count


def _pairs_in_photos(photo: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of faces of one photo; of photos with many faces, each with the next ones only."""
    order = np.argsort(photo, kind="stable")
    ones, others = [], []
    for step in range(1, 6):
        same = np.flatnonzero(photo[order[:-step]] == photo[order[step:]])
        ones.append(order[same])
        others.append(order[same + step])
    one, other = np.concatenate(ones), np.concatenate(others)
    some = slice(None, None, max(1, -(-len(one) // _PAIRS_MAX)))
    return one[some], other[some]


def _few_of_two_people(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of at most 50 pairs of each two people."""
    pairs = np.stack([np.minimum(one, other), np.maximum(one, other)], axis=1)
    _, which = np.unique(pairs, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    sizes = np.bincount(which)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[rank < _PAIRS_OF_TWO_PEOPLE])


def _cosines(vectors: Vectors, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
    found = np.empty(len(one), np.float32)
    for start in range(0, len(one), 8_192):
        here = slice(start, start + 8_192)
        left, right = vectors[one[here]].astype(np.float32), vectors[other[here]].astype(np.float32)
        found[here] = (left * right).sum(axis=1)
    return found


def _of_different_people(cosines: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Return random pairs without those of one person, as far as they stand apart; none if all pairs are alike.

    In a library of few people, many random pairs are one person. Then the cosines fall into two heaps, which Otsu's
    threshold (1979) divides. Where even the lower heap is far above what unrelated vectors have, nobody else is there.
    """
    if len(cosines) < _HEAP_LEAST:
        return cosines
    counted, edges = np.histogram(cosines, bins=128)
    values = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counted)[:-1]
    above = len(cosines) - below
    sums = np.cumsum(counted * values)
    means = sums[:-1] / np.maximum(below, 1), (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    split = edges[1 + int(np.argmax(below * above * (means[1] - means[0]) ** 2))]
    low, high = cosines[cosines <= split], cosines[cosines > split]
    if len(low) and len(high) and high.mean() - low.mean() > _HEAPS_APART * np.sqrt((low.var() + high.var()) / 2):
        cosines = low
    return cosines if cosines.mean() < _UNRELATED * np.sqrt(2 / dim) else cosines[:0]


def _spread(cosines: NDArray[np.float32], dim: int) -> tuple[float, float]:
    """Return mean and deviation of cosines of different people, with the upper tail as wide as it is.

    A few pairs are told from nothing by an assumption: about half of the dimensions tell people apart.
    """
    weight = len(cosines) / (len(cosines) + _ASSUMED_PAIRS)
    assumed = 2 / dim
    if not len(cosines):
        return 0.0, float(np.sqrt(assumed))
    values = cosines.astype(np.float64)
    mean = weight * float(values.mean())
    deviation = float(np.sqrt(weight * values.var() + (1 - weight) * assumed))
    for level in _TAIL_LEVELS:
        if len(values) * (1 - level) >= _TAIL_LEAST:
            deviation = max(deviation, (float(np.quantile(values, level)) - mean) / NormalDist().inv_cdf(level))
    return mean, deviation
