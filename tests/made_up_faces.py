"""Made-up face vectors with known people, for tests of grouping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.grouping_values import Faces, Search
from photoindex.vectors.neighbours import nearest, neighbours

SEARCH = Search(neighbours, nearest)
WITHIN = 0.745
"""The mean cosine of two faces of one person."""


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def people(
    sizes: Sequence[int], *, seed: int, dim: int = 128, within: float = WITHIN
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Return vectors of people with so many faces each, and the person of each face."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(len(sizes)), sizes)
    centres = unit(random.standard_normal((len(sizes), dim)))[person]
    noise = unit(random.standard_normal((len(person), dim)))
    return unit(np.sqrt(within) * centres + np.sqrt(1 - within) * noise).astype(np.float16), person


def faces_of(vectors: NDArray[np.floating], **columns: NDArray[np.generic]) -> Faces:
    """Return faces, each good and in a photo of its own unless the columns say otherwise."""
    count = len(vectors)
    given = {
        "ids": np.arange(1, count + 1, dtype=np.int64),
        "vectors": vectors.astype(np.float16),
        "founder": np.ones(count, np.bool_),
        "photo": np.arange(count, dtype=np.int64),
        "taken": np.full(count, "NaT", "datetime64[D]"),
        "repeats_allowed": np.zeros(count, np.bool_),
        "quality": np.ones(count, np.float32),
        **columns,
    }
    return Faces(**given)  # type: ignore[arg-type]
