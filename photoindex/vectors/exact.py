"""Exact search over vectors in memory; the reference for the other indexes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Neighbours
from photoindex.vectors.scoring import (
    COARSE_ERROR,
    best_of,
    checked_query,
    coarse_scores,
    exact_scores,
    positions_in,
    ranked,
)

DECODED_ROWS_MAX = 50_000
"""Up to this number of vectors are also kept as float32, which saves most of a search's time."""
_BLOCK_ROWS = 8_192


class ExactIndex:
    """Vectors in memory: ids int64 [n], ascending; values float16 [n, dim]."""

    def __init__(self, ids: NDArray[np.int64], values: NDArray[np.float16]) -> None:
        if values.ndim != 2 or len(ids) != len(values):
            raise ValueError(f"{len(ids)} ids for vectors of the shape {values.shape}")
        if (np.diff(ids) <= 0).any():
            raise ValueError("the ids of the vectors are not ascending")
        self.dim = int(values.shape[1])
        self.ids = ids
        self.values = values

    @cached_property
    def _decoded(self) -> NDArray[np.float32] | None:
        return self.values.astype(np.float32) if len(self.ids) <= DECODED_ROWS_MAX else None

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.ids)

    def search(self, query: NDArray[np.float32], limit: int, *, allowed: NDArray[np.int64] | None = None) -> Neighbours:
        """Return up to `limit` nearest vectors; see `VectorIndex.search`."""
        query = checked_query(query, self.dim)
        positions = self._positions(allowed)
        near = positions[best_of(self._coarse(query, positions), max(limit, 0))]
        return ranked(self.ids[near], exact_scores(self.values[near], query), max(limit, 0))

    def scan(
        self, query: NDArray[np.float32], minimum: float, *, allowed: NDArray[np.int64] | None = None
    ) -> Neighbours:
        """Return all vectors with a cosine of at least `minimum`; see `VectorIndex.scan`."""
        query = checked_query(query, self.dim)
        positions = self._positions(allowed)
        near = positions[self._coarse(query, positions) >= minimum - COARSE_ERROR]
        scores = exact_scores(self.values[near], query)
        kept = scores >= np.float32(minimum)
        return ranked(self.ids[near][kept], scores[kept])

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosines of a query and these vectors; see `VectorIndex.scores`."""
        query = checked_query(query, self.dim)
        positions, known = positions_in(self.ids, ids)
        found = np.full(len(ids), np.nan, np.float32)
        found[known] = exact_scores(self.values[positions[known]], query)
        return found

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return these vectors; see `VectorIndex.vectors`."""
        positions, known = positions_in(self.ids, ids)
        found = np.full((len(ids), self.dim), np.nan, np.float32)
        found[known] = self.values[positions[known]]
        return found

    def _positions(self, allowed: NDArray[np.int64] | None) -> NDArray[np.int64]:
        if allowed is None:
            return np.arange(len(self.ids))
        positions, known = positions_in(self.ids, allowed)
        return positions[known]

    def _coarse(self, query: NDArray[np.float32], positions: NDArray[np.int64]) -> NDArray[np.float32]:
        everything = len(positions) == len(self.ids)
        if self._decoded is not None:
            return coarse_scores(self._decoded if everything else self._decoded[positions], query)
        found = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), _BLOCK_ROWS):
            rows = self.values[positions[start : start + _BLOCK_ROWS]]
            found[start : start + _BLOCK_ROWS] = coarse_scores(rows.astype(np.float32), query)
        return found
