"""Groups that may be several people: their faces fall into two parts that are no more alike than strangers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import Vectors

LEAST_FACES = 3
"""Faces of the smaller part; fewer are odd pictures of the person rather than another one."""
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """Two parts of a group: second: bool [n], the faces of the smaller one. cosine: the mean of pairs across."""

    second: NDArray[np.bool_]
    cosine: float


def parts_of(vectors: Vectors) -> Parts | None:
    """Return the two parts that the faces of a group fall into most clearly, None if one is too small.

    vectors: [n, dim], unit length. Spherical 2-means, which begins with the faces on either side of the main axis.
    """
    if len(vectors) < 2 * LEAST_FACES:
        return None
    rows = vectors.astype(np.float32)
    second = _side_of_main_axis(rows)
    for _ in range(_ROUNDS):
        if not LEAST_FACES <= second.sum() <= len(rows) - LEAST_FACES:
            return None
        means = np.stack([rows[~second].mean(axis=0), rows[second].mean(axis=0)])
        nearer = rows @ (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)).T
        moved = nearer[:, 1] > nearer[:, 0]
        if (moved == second).all():
            break
        second = moved
    if not LEAST_FACES <= second.sum() <= len(rows) - LEAST_FACES:
        return None
    if second.sum() * 2 > len(rows):
        second = ~second
    return Parts(second, float(rows[~second].mean(axis=0) @ rows[second].mean(axis=0)))


def _side_of_main_axis(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    centred = rows - rows.mean(axis=0)
    axis = centred[int(np.argmax((centred**2).sum(axis=1)))]
    for _ in range(_ROUNDS):
        axis = centred.T @ (centred @ axis)
        axis /= max(float(np.linalg.norm(axis)), 1e-12)
    return np.asarray(centred @ axis > 0)
