"""The interface of vector indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Block = tuple[NDArray[np.int64], NDArray[np.float16]]
"""Vectors in order of their ids: ids int64 [n], ascending; values float16 [n, dim], little-endian."""


class IndexDamaged(Exception):
    """Files of an index are missing, incomplete, changed, or made for something else; the message says which."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest vectors, best first: ids int64 [n], scores float32 [n] (cosine, -1 to 1)."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.ids)


class VectorIndex(Protocol):
    """Unit vectors with integer ids, searched by cosine similarity.

    Scores are exact: float32 dot products of the stored float16 vectors.
    """

    dim: int

    def __len__(self) -> int:
        """Return the number of vectors."""
        ...

    def search(self, query: NDArray[np.float32], limit: int, *, allowed: NDArray[np.int64] | None = None) -> Neighbours:
        """Return up to `limit` nearest vectors of a query, float32 [dim] of unit length.

        allowed: only vectors with these ids, int64 [n] ascending; unknown ids are ignored. Equal scores are sorted by
        id. Vectors with NaN are never returned. Raises ValueError for a query of another dimension.
        """
        ...

    def scan(
        self, query: NDArray[np.float32], minimum: float, *, allowed: NDArray[np.int64] | None = None
    ) -> Neighbours:
        """Compare every vector and return those with a cosine of at least `minimum`, in the order of `search`."""
        ...

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact cosines of a query and these vectors, float32 [n]; NaN for unknown ids."""
        ...

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return these vectors, float32 [n, dim], in the given order; NaN for unknown ids."""
        ...


class Truth(Protocol):
    """The source of the vectors (the database), which index files are checked against."""

    def living(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each id whether its vector still exists, bool [n]."""
        ...

    def fetch(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return these vectors, float16 [n, dim]; NaN for deleted ones."""
        ...

    def damaged(self, problem: str) -> None:
        """Report that the files of the index are damaged."""
        ...
