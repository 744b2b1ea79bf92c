"""Vectors for tests of vector search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Block

DIM = 32


def unit_vectors(count: int, *, dim: int = DIM, seed: int = 0, groups: int = 20) -> NDArray[np.float16]:
    """Return unit vectors in groups around a common direction, like those of image models."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((groups, dim)) + 0.5
    found = centres[random.integers(0, groups, count)] + 0.7 * random.standard_normal((count, dim))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


def unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a vector as a query: float32, of unit length."""
    wide = values.astype(np.float64)
    return (wide / np.linalg.norm(wide)).astype(np.float32)


def in_blocks(ids: NDArray[np.int64], values: NDArray[np.float16], rows: int = 1_000) -> Iterator[Block]:
    """Yield vectors in blocks, as the database returns them."""
    for start in range(0, len(ids), rows):
        yield ids[start : start + rows], values[start : start + rows]


class InMemoryTruth:
    """The source of truth for an index, in memory: the existing vectors, and the reported damage."""

    def __init__(self, ids: NDArray[np.int64], values: NDArray[np.float16]) -> None:
        self.vectors = dict(zip(ids.tolist(), values, strict=True))
        self.dim = values.shape[1]
        self.problems: list[str] = []

    def remove(self, ids: NDArray[np.int64]) -> None:
        for number in ids.tolist():
            del self.vectors[number]

    def living(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.array([number in self.vectors for number in ids.tolist()], np.bool_)

    def fetch(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        lost = np.full(self.dim, np.nan, np.float16)
        return np.stack([self.vectors.get(number, lost) for number in ids.tolist()])

    def damaged(self, problem: str) -> None:
        self.problems.append(problem)
