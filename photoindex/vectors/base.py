"""What every index of vectors gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Block = tuple[NDArray[np.int64], NDArray[np.float16]]
"""Vectors in the order of their numbers: numbers int64 [n], ascending; values float16 [n, dim], little-endian."""


class IndexDamaged(Exception):
    """Files of an index are missing, half written, changed, or made for something else; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest vectors, best first: ids int64 [n], scores float32 [n] (cosine, -1 to 1)."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)


class VectorIndex(Protocol):
    """Vectors of unit length under numbers, searched by their cosine.

    What `search` returns is scored exactly, as float32 products of the float16 vectors that were given.
    """

    dim: int

    def __len__(self) -> int:
        """Return how many vectors it holds."""
        ...

    def search(self, query: NDArray[np.float32], limit: int, *, allowed: NDArray[np.int64] | None = None) -> Neighbours:
        """Return up to `limit` nearest vectors of a query, float32 [dim] of unit length.

        allowed: only vectors with these numbers, int64 [n] ascending; numbers that the index lacks are ignored. Equal
        scores come in the order of their numbers. A vector that is not a number anywhere is never found.
        Raises ValueError for a query of another length.
        """
        ...

    def scan(
        self, query: NDArray[np.float32], minimum: float, *, allowed: NDArray[np.int64] | None = None
    ) -> Neighbours:
        """Return every vector whose cosine is at least `minimum`, in the order of `search`, by looking at all of them."""
        ...

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosine of a query and each of these vectors, float32 [n]; NaN for one that the index lacks."""
        ...

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return these vectors, float32 [n, dim], in the order asked for; NaN for one that the index lacks."""
        ...


class Truth(Protocol):
    """Where the vectors come from and are still looked up, beside the files of an index: the database."""

    def living(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each number whether there still is such a vector, bool [n]."""
        ...

    def fetch(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return these vectors, float16 [n, dim]; NaN for one that is gone."""
        ...

    def damaged(self, problem: str) -> None:
        """Take note that the files of the index do not hold what they should."""
        ...
