"""All pairs of vectors that are near each other, without comparing each with each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.space_index import SpaceIndex

EACH_WITH_EACH = 16_000
"""So many vectors are compared each with each: a tenth of a second for a thousand, some seconds for all."""
_CELLS_OF_EACH = 2
_CELL_ROWS = 600
_TRAINING_ROWS_A_CELL = 48
_TRAINING_ROUNDS = 5
_BLOCK_ROWS = 1_024
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Pairs of vectors: their numbers int64 [n], first < second, and their cosines float32 [n]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosines: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self.first)


def neighbour_pairs(
    index: SpaceIndex, minimum: float, neighbours: int, advance: Callable[[int], None] = lambda _vectors: None
) -> Iterator[NearPairs]:
    """Yield the pairs whose cosine is at least `minimum`, each once, in blocks; none with a vector that is gone.

    neighbours: a vector in a crowd (a burst, a thousand black frames) gives about so many pairs, its nearest, not all.
    advance: is told how many of the index's vectors are done with.

    Up to EACH_WITH_EACH vectors the answer is complete. Beyond, every vector belongs to its two nearest of many cells (of
    k-means), and only those that share a cell are compared. Pairs that may be the same picture (0.9 and more) nearly always
    share one; of further ones a growing part is missed.
    """
    ids = np.concatenate([np.zeros(0, np.int64), *(block for block, _ in index.blocks())])
    done = 0
    for pairs, finished in _pairs_among(index, ids, minimum, neighbours, depth=0):
        if finished:
            done += finished
            advance(min(done // _CELLS_OF_EACH if len(ids) > EACH_WITH_EACH else done, len(ids)))
        if len(pairs):
            yield pairs


def _pairs_among(
    index: SpaceIndex, ids: NDArray[np.int64], minimum: float, neighbours: int, *, depth: int
) -> Iterator[tuple[NearPairs, int]]:
    """Yield pairs of some vectors, and how many of these, counted in each of their cells, are done with."""
    if len(ids) <= EACH_WITH_EACH or depth == _DEEPEST:
        yield from _each_with_each(index, ids, minimum, neighbours)
        return
    cells = _cells_of(index, ids)
    members = np.argsort(cells.reshape(-1), kind="stable")
    borders = np.searchsorted(cells.reshape(-1)[members], np.arange(int(cells.max()) + 2))
    for cell, (start, stop) in enumerate(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)):
        places = members[start:stop] // _CELLS_OF_EACH  # ascending, for the order within a cell is that of `ids`
        own = ids[places]
        # A cell that holds nearly everything holds vectors that no cells tell apart.
        deeper = _DEEPEST if len(own) > len(ids) // 2 else depth + 1
        for pairs, _ in _pairs_among(index, own, minimum, neighbours, depth=deeper):
            yield _those_of_cell(pairs, cell, ids, cells), 0
        yield _no_pairs(), stop - start


def _those_of_cell(pairs: NearPairs, cell: int, ids: NDArray[np.int64], cells: NDArray[np.int32]) -> NearPairs:
    """Return the pairs that this cell has to tell of: of the cells that two vectors share, the first."""
    left = cells[np.searchsorted(ids, pairs.first)]
    right = cells[np.searchsorted(ids, pairs.second)]
    shared = (left[:, :, None] == right[:, None, :]).any(axis=2)
    first = np.where(shared, left, np.iinfo(np.int32).max).min(axis=1)
    kept = first == cell
    return NearPairs(pairs.first[kept], pairs.second[kept], pairs.cosines[kept])


def _cells_of(index: SpaceIndex, ids: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the two nearest cells of each vector, int32 [n, 2]."""
    import faiss

    count = max(_CELLS_OF_EACH, len(ids) // _CELL_ROWS)
    random = np.random.default_rng(len(ids))
    chosen = np.sort(random.choice(len(ids), min(len(ids), count * _TRAINING_ROWS_A_CELL), replace=False))
    kmeans = faiss.Kmeans(
        index.dim, count, niter=_TRAINING_ROUNDS, seed=1, min_points_per_centroid=1,
        max_points_per_centroid=_TRAINING_ROWS_A_CELL,
    )  # fmt: skip
    kmeans.train(_finite(index.vectors(ids[chosen])))
    found = np.empty((len(ids), _CELLS_OF_EACH), np.int32)
    for start in range(0, len(ids), EACH_WITH_EACH):
        rows = _finite(index.vectors(ids[start : start + EACH_WITH_EACH]))
        found[start : start + EACH_WITH_EACH] = kmeans.index.search(rows, _CELLS_OF_EACH)[1]
    return found


def _each_with_each(
    index: SpaceIndex, ids: NDArray[np.int64], minimum: float, neighbours: int
) -> Iterator[tuple[NearPairs, int]]:
    rows = _finite(index.vectors(ids))
    for start in range(0, len(ids), _BLOCK_ROWS):
        scores = rows[start : start + _BLOCK_ROWS] @ rows[start:].T
        # Each pair once, and none of a vector with itself.
        near = np.triu(scores >= np.float32(minimum), 1)
        crowded = np.flatnonzero(near.sum(axis=1) > neighbours)
        if len(crowded):
            near[crowded] = _nearest_alone(np.where(near[crowded], scores[crowded], -np.inf), neighbours)
        left, right = np.nonzero(near)
        yield NearPairs(ids[start + left], ids[start + right], scores[left, right]), len(scores)


def _nearest_alone(scores: NDArray[np.float32], neighbours: int) -> NDArray[np.bool_]:
    """Return which scores are among the `neighbours` highest of their row, of equal ones the first."""
    least = np.partition(scores, -neighbours, axis=1)[:, -neighbours, None]
    above = scores > least
    equal = (scores == least) & np.isfinite(scores)
    room = neighbours - above.sum(axis=1, keepdims=True)
    kept: NDArray[np.bool_] = above | (equal & (equal.cumsum(axis=1) <= room))
    return kept


def _finite(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors with zeros in place of what is no number: such a one is like no other."""
    return np.ascontiguousarray(np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0))


def _no_pairs() -> NearPairs:
    return NearPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
