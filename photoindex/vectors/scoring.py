"""Exact and coarse cosine scores, and the order of hits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Neighbours

COARSE_ERROR = 1e-5
"""Maximum error of a float32 product of two unit vectors, summed in any order."""
_BLOCK_ROWS = 4_096
_NORM_ERROR = 0.02
"""Rounding to float16 changes the length of a unit vector by less than a thousandth; more means damaged bytes."""
_UNIT_ERROR = 0.01
"""Rounding to float16 alone changes a length by about 0.001."""


def checked_query(query: NDArray[Any], dim: int) -> NDArray[np.float32]:
    """Return a query as contiguous float32 [dim]. Raises ValueError for another shape, infinite values and NaN."""
    if query.shape != (dim,):
        raise ValueError(f"the query has the shape {query.shape}, but the vectors have dimension {dim}")
    if not np.isfinite(query).all():
        raise ValueError("the query contains values that are not finite")
    return np.ascontiguousarray(query, np.float32)


def exact_scores(rows: NDArray[Any], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of rows [n, dim] and a query as float32 [n].

    They are summed as float64 and rounded once, so that equal vectors have equal scores at any position.
    """
    wide = query.astype(np.float64)
    found = np.empty(len(rows), np.float32)
    # Damaged bytes may be infinite or NaN, and so are their products; the caller handles them.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(rows), _BLOCK_ROWS):
            found[start : start + _BLOCK_ROWS] = rows[start : start + _BLOCK_ROWS].astype(np.float64) @ wide
    return found


def ranked(ids: NDArray[np.int64], scores: NDArray[np.float32], limit: int | None = None) -> Neighbours:
    """Sort vectors best first, equal scores by id, without non-finite scores; at most `limit`."""
    known = np.isfinite(scores)
    ids, scores = ids[known], scores[known]
    order = np.lexsort((ids, -scores))[:limit]
    return Neighbours(ids[order], scores[order])


def coarse_scores(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of rows [n, dim] and a query, accurate to COARSE_ERROR; may contain NaN and infinities."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: NDArray[np.float32] = rows @ query
    return found


def best_of(coarse: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
    """Return the positions of all coarse scores that may be among the `limit` best exact ones."""
    if limit <= 0:
        return np.zeros(0, np.int64)
    coarse = np.where(~np.isfinite(coarse), np.float32(-np.inf), coarse)
    if limit >= len(coarse):
        return np.flatnonzero(coarse > -np.inf)
    threshold = np.partition(coarse, len(coarse) - limit)[len(coarse) - limit]
    return np.flatnonzero((coarse >= threshold - 2 * COARSE_ERROR) & (coarse > -np.inf))


def not_unit(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions of rows that are not of unit length, within float16 precision."""
    wide = rows.astype(np.float32, copy=False)
    # Damaged bytes may be infinite or NaN; they should be found without a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", wide, wide)
        return np.flatnonzero(~(np.abs(squares - 1) <= 2 * _NORM_ERROR))


def positions_in(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the position of each wanted id among ascending ids, and whether it is present."""
    positions = np.searchsorted(ids, wanted)
    if not len(ids):
        return positions, np.zeros(len(wanted), np.bool_)
    positions = np.minimum(positions, len(ids) - 1)
    return positions, ids[positions] == wanted


def is_unit(values: NDArray[np.floating]) -> bool:
    """Return whether a stored vector, [dim], is of unit length; if not, it is damaged."""
    return bool(abs(float(np.linalg.norm(values.astype(np.float64))) - 1) < _UNIT_ERROR)
