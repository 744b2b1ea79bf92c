"""The means of groups of faces, and how alike the faces of a group are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import WAITING, Vectors


@dataclass(frozen=True, slots=True)
class Means:
    """Groups by label: labels int64 [g], ascending; faces int64 [g], how many; means float32 [g, dim], of unit vectors.

    The product of two means is the mean cosine of all pairs of faces of the two groups.
    """

    labels: NDArray[np.int64]
    faces: NDArray[np.int64]
    means: NDArray[np.float32]


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
