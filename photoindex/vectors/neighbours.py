"""The nearest neighbours of many vectors at once, as positions, for grouping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float16] | NDArray[np.float32]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Positions int64 [n, k] and cosines float32 [n, k], best first; -1 and -inf where there are fewer than k."""

Advance = Callable[[int], None]
"""Called with the number of vectors done so far."""

RECALL = 0.98
"""The share of the true neighbours that an approximate search must find, measured on a sample in each run."""
APPROXIMATE_FROM = 60_000
"""Up to this number of vectors, all pairs are compared."""
CANDIDATES = 128
"""How many vectors with the highest approximate cosines are compared exactly with each vector."""
SHARES = (0.25, 0.375, 0.5)
"""The shares of the dimensions that are tried for approximate cosines."""
_SAMPLE = 512
"""How many vectors the recall is measured on."""
_ROWS = 1_024
_BLOCK = 4_096
_COMPARED_ROWS = 128
_ROWS_ON_A_GPU = 8_192
_BLOCK_VALUES = 1 << 26
_PAIRS_FOR_A_GPU = 1_000_000_000
"""Comparing fewer takes less time than importing torch."""
_LIMIT_SAMPLE = 8_192
_LIMIT_SHARE = 10
_LIMIT_RANK = 5
_LIMIT_SLACK = 1.5


def _silent(_done: int) -> None:
    """Ignore progress."""


def neighbours(vectors: Vectors, k: int, advance: Advance = _silent) -> Found:
    """Return the `k` nearest others of each vector, of unit length, [n, dim]; equal ones are sorted by position.

    Exact up to 60,000 vectors and on a GPU. Beyond that, candidates are found by their cosines in fewer dimensions, those
    in which the vectors differ most (principal components), and compared exactly. The share of the true neighbours that
    this finds is measured on a sample; where it is below 0.98, all pairs are compared. advance: called in proportion to
    the pairs compared; where all are compared after all, it begins again.
    """
    count = len(vectors)
    if count > _LIMIT_SAMPLE and k < _LIMIT_SAMPLE:
        if _is_for_a_gpu(vectors, vectors):
            return _own_left_out(_on_a_gpu(vectors, vectors, k + 1, advance), np.arange(count))
        return _among_themselves(vectors.astype(np.float32), k, advance)
    return _own_left_out(nearest(vectors, vectors, k + 1), np.arange(count))


def nearest(queries: Vectors, base: Vectors, k: int) -> Found:
    """Return the `k` vectors in `base` with the largest products with each query; [n, dim] and [m, dim]. Exact."""
    if not len(queries) or not len(base) or k <= 0:
        return _padded(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32), max(k, 0))
    wanted = min(k, len(base))
    search = _on_a_gpu if _is_for_a_gpu(queries, base) else _exact
    return _padded(*search(queries, base, wanted), k)


def _padded(found: NDArray[np.int64], cosines: NDArray[np.float32], k: int) -> Found:
    missing = ((0, 0), (0, k - found.shape[1]))
    return (
        np.pad(found, missing, constant_values=-1),
        np.pad(cosines.astype(np.float32), missing, constant_values=-np.inf),
    )


def _own_left_out(pairs: Found, own: NDArray[np.int64]) -> Found:
    """Return the neighbours of the vectors at the positions `own` without themselves."""
    found, cosines = pairs
    is_own = found == own[:, None]
    # A vector with many equal ones may not be among its own nearest; then the last is dropped.
    is_own[~is_own.any(axis=1), -1] = True
    shape = len(found), max(0, found.shape[1] - 1)
    return found[~is_own].reshape(shape), cosines[~is_own].reshape(shape)


def _exact(queries: Vectors, base: Vectors, k: int) -> Found:
    """Compare each query with each vector in blocks of matrix products."""
    found = np.empty((len(queries), k), np.int64)
    cosines = np.empty((len(queries), k), np.float32)
    there = base.astype(np.float32)
    rows = max(1, min(_ROWS, _BLOCK_VALUES // len(base)))
    for start in range(0, len(queries), rows):
        similarity = queries[start : start + rows].astype(np.float32) @ there.T
        best = np.argpartition(similarity, len(base) - k, axis=1)[:, len(base) - k :]
        scores = np.take_along_axis(similarity, best, axis=1)
        order = np.lexsort((best, -scores), axis=1)
        found[start : start + rows] = np.take_along_axis(best, order, axis=1)
        cosines[start : start + rows] = np.take_along_axis(scores, order, axis=1)
    return found, cosines


def _among_themselves(vectors: NDArray[np.float32], k: int, advance: Advance) -> Found:
    """Return the neighbours of many vectors, exact or with the promised recall."""
    if len(vectors) > APPROXIMATE_FROM:
        sample = np.random.default_rng(len(vectors)).choice(len(vectors), _SAMPLE, replace=False)
        truth = _own_left_out(_exact(vectors[sample], vectors, k + 1), sample)[0]
        reduced = _reduced(vectors, sample, truth)
        if reduced is not None:
            found = _with_candidates(vectors, reduced, k, CANDIDATES, advance)
            if recall(found[0][sample], truth) >= RECALL:
                return found
    return _with_candidates(vectors, vectors, k, k, advance)


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Return the share of the true neighbours, int64 [n, k], that were found."""
    return float(np.mean([np.isin(true, some).mean() for some, true in zip(found, truth, strict=True)]))


def _reduced(
    vectors: NDArray[np.float32], sample: NDArray[np.int64], truth: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Return the vectors in as few dimensions as find the neighbours of a sample; None if that takes too many."""
    dim = vectors.shape[1]
    some = vectors[:: max(1, len(vectors) // (32 * dim))].astype(np.float64)
    axes = np.linalg.eigh(some.T @ some)[1][:, ::-1].astype(np.float32)
    for share in SHARES:
        reduced = vectors @ axes[:, : max(1, int(dim * share))]
        candidates = _exact(reduced[sample], reduced, CANDIDATES)[0]
        if recall(candidates, truth) >= RECALL:
            return np.ascontiguousarray(reduced)
    return None


@dataclass(slots=True)
class _Pairs:
    """Pairs of a block of vectors, collected in parts: rows and columns int32, scores float32."""

    rows: list[NDArray[np.int32]]
    columns: list[NDArray[np.int32]]
    scores: list[NDArray[np.float32]]

    def add(self, rows: NDArray[np.int64], columns: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        self.rows.append(rows.astype(np.int32))
        self.columns.append(columns.astype(np.int32))
        self.scores.append(scores)

    def best(self, first: int, count: int, wanted: int) -> Found:
        """Return the best `wanted` of each of the `count` rows from `first` on."""
        rows, columns, scores = (np.concatenate(part) for part in (self.rows, self.columns, self.scores))
        order = np.lexsort((columns, -scores, rows))
        rows, columns, scores = rows[order] - first, columns[order], scores[order]
        sizes = np.bincount(rows, minlength=count)
        rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = rank < wanted
        found = np.full((count, wanted), -1, np.int64)
        cosines = np.full((count, wanted), -np.inf, np.float32)
        found[rows[kept], rank[kept]] = columns[kept]
        cosines[rows[kept], rank[kept]] = scores[kept]
        return found, cosines


def _with_candidates(
    vectors: NDArray[np.float32], reduced: NDArray[np.float32], k: int, candidates: int, advance: Advance
) -> Found:
    """Return the `k` nearest of the best `candidates` by `reduced`; all pairs are compared there, each once."""
    count = len(vectors)
    limits = _limits(reduced, candidates)
    blocks = [_Pairs([], [], []) for _ in range(0, count, _BLOCK)]
    found = np.full((count, k), -1, np.int64)
    cosines = np.full((count, k), -np.inf, np.float32)
    for number in range(len(blocks)):
        start = number * _BLOCK
        here = reduced[start : start + _BLOCK]
        for other in range(number, len(blocks)):
            at = other * _BLOCK
            scores = here @ reduced[at : at + _BLOCK].T
            if number == other:
                np.fill_diagonal(scores, -np.inf)
            row, column = np.divmod(np.flatnonzero(scores >= limits[start : start + _BLOCK, None]), scores.shape[1])
            blocks[number].add(row + start, column + at, scores[row, column])
            if number != other:
                row, column = np.divmod(np.flatnonzero(scores >= limits[at : at + _BLOCK]), scores.shape[1])
                blocks[other].add(column + at, row + start, scores[row, column])
        best = blocks[number].best(start, len(here), candidates)
        blocks[number] = _Pairs([], [], [])
        if vectors is not reduced:
            best = _compared(vectors[start : start + _BLOCK], vectors, best[0], k)
        found[start : start + _BLOCK], cosines[start : start + _BLOCK] = best
        # The first blocks are compared with the most others.
        left = len(blocks) - number - 1
        advance(count - count * left * (left + 1) // (len(blocks) * (len(blocks) + 1)))
    short = np.flatnonzero(found[:, -1] < 0)
    if len(short):
        found[short], cosines[short] = _own_left_out(_exact(vectors[short], vectors, k + 1), short)
    return found, cosines


def _limits(rows: NDArray[np.float32], wanted: int) -> NDArray[np.float32]:
    """Return a score for each vector that somewhat more than `wanted` others are expected to reach."""
    sample = rows[:: max(_LIMIT_SHARE, len(rows) // _LIMIT_SAMPLE)]
    rank = min(len(sample) - 1, max(_LIMIT_RANK, round(_LIMIT_SLACK * wanted * len(sample) / len(rows))))
    limits = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _ROWS):
        scores = rows[start : start + _ROWS] @ sample.T
        # The vector itself may be in the sample.
        limits[start : start + _ROWS] = np.partition(scores, scores.shape[1] - rank - 1, axis=1)[:, -rank - 1]
    return limits


def _compared(queries: NDArray[np.float32], base: NDArray[np.float32], candidates: NDArray[np.int64], k: int) -> Found:
    """Return the `k` nearest among each query's candidates, int64 [n, m], -1 for none."""
    found = np.empty((len(queries), k), np.int64)
    cosines = np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), _COMPARED_ROWS):
        some = candidates[start : start + _COMPARED_ROWS]
        scores = np.einsum("ij,imj->im", queries[start : start + _COMPARED_ROWS], base[np.maximum(some, 0)])
        scores[some < 0] = -np.inf
        order = np.lexsort((some, -scores), axis=1)[:, :k]
        found[start : start + _COMPARED_ROWS] = np.take_along_axis(some, order, axis=1)
        cosines[start : start + _COMPARED_ROWS] = np.take_along_axis(scores, order, axis=1)
    return found, cosines


def has_gpu() -> bool:
    """Return whether torch is installed and finds a GPU."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _is_for_a_gpu(queries: Vectors, base: Vectors) -> bool:
    return len(queries) * len(base) > _PAIRS_FOR_A_GPU and has_gpu()


def _on_a_gpu(queries: Vectors, base: Vectors, k: int, advance: Advance = _silent) -> Found:
    """Do what `_exact` does on a GPU."""
    import torch

    there = _tensor(base)
    found, cosines = [], []
    rows = max(1, min(_ROWS_ON_A_GPU, 8 * _BLOCK_VALUES // len(base)))
    for start in range(0, len(queries), rows):
        scores, best = torch.topk(_tensor(queries[start : start + rows]) @ there.T, k, dim=1)
        found.append(best.cpu().numpy())
        cosines.append(scores.float().cpu().numpy())
        advance(min(start + rows, len(queries)))
    return np.concatenate(found), np.concatenate(cosines)


def _tensor(rows: Vectors) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(rows, np.float32)).cuda()
