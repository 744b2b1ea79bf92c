"""The nearest neighbours of many vectors at once, as positions, for grouping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float16] | NDArray[np.float32]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Positions int64 [n, k] and cosines float32 [n, k], best first; -1 and -inf where there are fewer than k."""

_ROWS = 1_024
_ROWS_ON_A_GPU = 8_192
_BLOCK_VALUES = 1 << 26
_PAIRS_FOR_A_GPU = 1_000_000_000
"""Comparing fewer takes less time than importing torch."""


def neighbours(vectors: Vectors, k: int) -> Found:
    """Return the `k` nearest others of each vector, of unit length, [n, dim]; equal ones are sorted by position."""
    found, cosines = nearest(vectors, vectors, k + 1)
    own = found == np.arange(len(vectors))[:, None]
    # A vector with many equal ones may not be among its own nearest; then the last is dropped.
    own[~own.any(axis=1), -1] = True
    shape = len(vectors), max(0, found.shape[1] - 1)
    return _padded(found[~own].reshape(shape), cosines[~own].reshape(shape), k)


def nearest(queries: Vectors, base: Vectors, k: int) -> Found:
    """Return the `k` nearest vectors in `base` of each query; both of unit length, [n, dim] and [m, dim]."""
    if not len(queries) or not len(base) or k <= 0:
        return _padded(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32), max(k, 0))
    wanted = min(k, len(base))
    many = len(queries) * len(base) > _PAIRS_FOR_A_GPU
    found = _on_a_gpu(queries, base, wanted) if many else None
    return _padded(*(found or _exact(queries, base, wanted)), k)


def _padded(found: NDArray[np.int64], cosines: NDArray[np.float32], k: int) -> Found:
    missing = ((0, 0), (0, k - found.shape[1]))
    return (
        np.pad(found, missing, constant_values=-1),
        np.pad(cosines.astype(np.float32), missing, constant_values=-np.inf),
    )


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


def _on_a_gpu(queries: Vectors, base: Vectors, k: int) -> Found | None:
    """Do what `_exact` does on a GPU; None where torch or a GPU is missing."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    there = _tensor(base)
    found, cosines = [], []
    rows = max(1, min(_ROWS_ON_A_GPU, 8 * _BLOCK_VALUES // len(base)))
    for start in range(0, len(queries), rows):
        scores, best = torch.topk(_tensor(queries[start : start + rows]) @ there.T, k, dim=1)
        found.append(best.cpu().numpy())
        cosines.append(scores.float().cpu().numpy())
    return np.concatenate(found), np.concatenate(cosines)


def _tensor(rows: Vectors) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(rows, np.float32)).cuda()
