"""What every index of vectors gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest vectors, best first: ids int64 [n], scores float32 [n] (cosine, -1 to 1)."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


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
        scores come in the order of their numbers.
        """
        ...

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosine of a query and each of these vectors, float32 [n]; NaN for one that the index lacks."""
        ...
