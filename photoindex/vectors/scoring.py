"""Cosines to the last digit of float32, and the order of hits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Neighbours

COARSE_ERROR = 1e-5
"""How far a float32 product of two unit vectors, summed in any order, may lie from the exact one."""
_BLOCK_ROWS = 4_096
_NORM_ERROR = 0.02
"""Rounding to float16 moves the length of a unit vector by less than a thousandth; more means other bytes."""

_UNIT_ERROR = 0.01
"""Half precision alone changes a length by some 0.001."""


def checked_query(query: NDArray[Any], dim: int) -> NDArray[np.float32]:
    """Return a query as contiguous float32 [dim]. Raises ValueError for another shape, infinite values and NaN."""
    if query.shape != (dim,):
        raise ValueError(f"the query has the shape {query.shape}, the vectors have {dim} numbers")
    if not np.isfinite(query).all():
        raise ValueError("the query holds values that are not finite numbers")
    return np.ascontiguousarray(query, np.float32)


def exact_scores(rows: NDArray[Any], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of rows [n, dim] and a query as float32 [n].

    They are summed as float64 and rounded once, so that equal vectors score equally wherever they stand.
    """
    wide = query.astype(np.float64)
    found = np.empty(len(rows), np.float32)
    # Damaged bytes may be infinite or NaN; such a product is NaN or infinite, which is for the caller to see.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(rows), _BLOCK_ROWS):
            found[start : start + _BLOCK_ROWS] = rows[start : start + _BLOCK_ROWS].astype(np.float64) @ wide
    return found


def ranked(ids: NDArray[np.int64], scores: NDArray[np.float32], limit: int | None = None) -> Neighbours:
    """Return vectors best first, equal ones by their numbers, without those whose score is no finite number; at most `limit`."""
    known = np.isfinite(scores)
    ids, scores = ids[known], scores[known]
    order = np.lexsort((ids, -scores))[:limit]
    return Neighbours(ids[order], scores[order])


def coarse_scores(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of rows [n, dim] and a query, right to COARSE_ERROR; NaN and infinities as they come."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: NDArray[np.float32] = rows @ query
    return found


def best_of(coarse: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
    """Return the positions of all scores that may be among the `limit` best once they are exact."""
    if limit <= 0:
        return np.zeros(0, np.int64)
    coarse = np.where(~np.isfinite(coarse), np.float32(-np.inf), coarse)
    if limit >= len(coarse):
        return np.flatnonzero(coarse > -np.inf)
    threshold = np.partition(coarse, len(coarse) - limit)[len(coarse) - limit]
    return np.flatnonzero((coarse >= threshold - 2 * COARSE_ERROR) & (coarse > -np.inf))


def not_unit(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions of rows that are not of unit length, as far as float16 can be."""
    wide = rows.astype(np.float32, copy=False)
    # Damaged bytes may be infinite or NaN; both are to be found, not warned of.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", wide, wide)
        return np.flatnonzero(~(np.abs(squares - 1) <= 2 * _NORM_ERROR))


def positions_in(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each wanted number stands among ascending ids, and whether it is there at all."""
    positions = np.searchsorted(ids, wanted)
    if not len(ids):
        return positions, np.zeros(len(wanted), np.bool_)
    positions = np.minimum(positions, len(ids) - 1)
    return positions, ids[positions] == wanted


def is_unit(values: NDArray[np.floating]) -> bool:
    """Tell whether a vector that was kept, [dim], is of unit length still, and not damaged."""
    return bool(abs(float(np.linalg.norm(values.astype(np.float64))) - 1) < _UNIT_ERROR)
