"""How good groups are: how alike their faces are, which groups may be one person, and which may be several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import WAITING, Vectors

_BLOCK = 1_024


@dataclass(frozen=True, slots=True)
class Means:
    """Groups by label: labels int64 [g], ascending; faces int64 [g], how many; means float32 [g, dim], of unit vectors.

    The product of two means is the mean cosine of all pairs of faces of the two groups.
    """

    labels: NDArray[np.int64]
    faces: NDArray[np.int64]
    means: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LikelyMerge:
    """Two groups that may be one person: their labels, the smaller first; the mean cosine of their faces."""

    label: int
    other: int
    cosine: float


def means_of(labels: NDArray[np.int64], vectors: Vectors) -> Means:
    """Return the means of all groups; labels: int64 [n], WAITING for none; vectors: [n, dim], unit length."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] != WAITING]
    numbers, starts, faces = np.unique(labels[order], return_index=True, return_counts=True)
    means = np.empty((len(numbers), vectors.shape[1]), np.float32)
    for row, (start, count) in enumerate(zip(starts.tolist(), faces.tolist(), strict=True)):
        means[row] = vectors[order[start : start + count]].mean(axis=0, dtype=np.float32)
    return Means(numbers.astype(np.int64), faces.astype(np.int64), means)


def cohesion(groups: Means) -> NDArray[np.float32]:
    """Return the mean cosine of all pairs of different faces of each group, float32 [g]; 1 for a single face."""
    count = groups.faces.astype(np.float32)
    squares = (groups.means**2).sum(axis=1)
    pairs = np.maximum(count * (count - 1), 1)
    return np.where(count > 1, (squares * count**2 - count) / pairs, 1).astype(np.float32)


def likely_merges(groups: Means, minimum: float, limit: int) -> list[LikelyMerge]:
    """Return up to `limit` pairs of groups whose faces are at least this alike on average, the most alike first."""
    found: list[tuple[float, int, int]] = []
    for start in range(0, len(groups.labels), _BLOCK):
        cosines = groups.means[start : start + _BLOCK] @ groups.means.T
        row, column = np.nonzero(cosines >= minimum)
        later = column > row + start
        row, column = row[later], column[later]
        found += zip(cosines[row, column].tolist(), (row + start).tolist(), column.tolist(), strict=True)
        found = sorted(found, key=lambda one: (-one[0], one[1:]))[:limit]
    numbers = groups.labels.tolist()
    return [LikelyMerge(numbers[one], numbers[other], cosine) for cosine, one, other in found]


def loose(groups: Means, minimum: float) -> NDArray[np.int64]:
    """Return the labels of groups whose faces are less alike than this on average: they may be several people."""
    return groups.labels[cohesion(groups) < minimum]
