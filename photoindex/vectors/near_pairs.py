"""Finding the nearest neighbours of all vectors without comparing all pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import Block

MINIMUM_COSINE = 0.85
NEIGHBOURS = 4
_EXACT_COUNT = 10_000
"""Up to this number of vectors, all pairs are compared."""
_ROWS = 1024
_PROBES = 2
_ROUNDS = 5
_SAMPLES_PER_CELL = 32
_PASS_BYTES = 256 << 20

Blocks = Callable[[], Iterator[Block]]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Pairs of vectors by id, int64 [n] each, first < second; cosines float32 [n]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosines: NDArray[np.float32]


def near_pairs(
    blocks: Blocks, count: int, *, minimum_cosine: float = MINIMUM_COSINE, neighbours: int = NEIGHBOURS
) -> Iterator[NearPairs]:
    """Yield pairs of vectors where one is among the `neighbours` nearest of the other, with at least `minimum_cosine`.

    blocks: returns an iterator over all vectors, of unit length; called several times, and must yield the same each
    time. count: approximate number of vectors. A pair may be returned twice. Exact up to 10,000 vectors. Beyond that,
    vectors are assigned to cells around about 2 * sqrt(count) centres, and each is compared with the two cells with the
    nearest centres (an inverted file, searched cell by cell with matrix products, so that only part of the vectors is
    in memory).
    """
    if count <= _EXACT_COUNT:
        ids, rows = _gathered(blocks, None)
        yield from _pairs(ids, rows, (ids, rows), minimum_cosine, neighbours)
        return
    centres = _centres(blocks, count)
    cells = _cells(blocks, centres)
    if not len(cells):
        return
    per_pass = max(1, _PASS_BYTES // (2 * centres.shape[1]) * len(centres) // (_PROBES * max(1, len(cells))))
    for start in range(0, len(centres), per_pass):
        wanted = ((cells >= start) & (cells < start + per_pass)).any(axis=1)
        ids, rows = _gathered(blocks, wanted)
        cells_of_rows = cells[wanted]
        for cell in range(start, min(start + per_pass, len(centres))):
            probing = np.flatnonzero((cells_of_rows == cell).any(axis=1))
            members = np.flatnonzero(cells_of_rows[:, 0] == cell)
            found = (ids[members], rows[members])
            yield from _pairs(ids[probing], rows[probing], found, minimum_cosine, neighbours)


def _gathered(blocks: Blocks, wanted: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return the vectors selected by a mask over all blocks; None: all."""
    numbers, values, seen = [], [], 0
    for ids, rows in blocks():
        chosen = slice(None) if wanted is None else wanted[seen : seen + len(ids)]
        numbers.append(ids[chosen])
        values.append(rows[chosen])
        seen += len(ids)
    if not numbers:
        return np.zeros(0, np.int64), np.zeros((0, 1), np.float16)
    return np.concatenate(numbers), np.concatenate(values)


def _centres(blocks: Blocks, count: int) -> Vectors:
    """Return the centres of the cells: float32 [cells, dim] of unit length (spherical k-means on every n-th vector)."""
    import faiss

    cells = 1 << round(np.log2(2 * np.sqrt(count)))
    step = max(1, count // (cells * _SAMPLES_PER_CELL))
    sample = np.concatenate([rows[::step] for _, rows in blocks()]).astype(np.float32)
    cells = min(cells, len(sample))
    means = faiss.Kmeans(
        sample.shape[1], cells, niter=_ROUNDS, spherical=True, seed=1, min_points_per_centroid=1, verbose=False
    )
    means.train(sample)
    return cast("Vectors", means.centroids)


def _cells(blocks: Blocks, centres: Vectors) -> NDArray[np.int32]:
    """Return the nearest cells of each vector, int32 [n, _PROBES], nearest first."""
    found = []
    for _, rows in blocks():
        for start in range(0, len(rows), _ROWS):
            similarity = rows[start : start + _ROWS].astype(np.float32) @ centres.T
            probes = min(_PROBES, similarity.shape[1])
            best = np.argpartition(-similarity, probes - 1, axis=1)[:, :probes]
            order = np.argsort(-np.take_along_axis(similarity, best, axis=1), axis=1)
            found.append(np.take_along_axis(best, order, axis=1).astype(np.int32))
    return np.concatenate(found) if found else np.zeros((0, _PROBES), np.int32)


def _pairs(
    ids: NDArray[np.int64],
    rows: NDArray[np.float16],
    others: tuple[NDArray[np.int64], NDArray[np.float16]],
    minimum_cosine: float,
    neighbours: int,
) -> Iterator[NearPairs]:
    other_ids, there = others[0], others[1].astype(np.float32)
    if len(other_ids) < 1:
        return
    for start in range(0, len(ids), _ROWS):
        own = ids[start : start + _ROWS]
        similarity = rows[start : start + _ROWS].astype(np.float32) @ there.T
        similarity[own[:, None] == other_ids[None, :]] = -2
        wanted = min(neighbours, len(other_ids))
        best = np.argpartition(-similarity, wanted - 1, axis=1)[:, :wanted]
        cosines = np.take_along_axis(similarity, best, axis=1)
        row, column = np.nonzero(cosines >= minimum_cosine)
        if len(row):
            first, second = own[row], other_ids[best[row, column]]
            yield NearPairs(np.minimum(first, second), np.maximum(first, second), cosines[row, column])
