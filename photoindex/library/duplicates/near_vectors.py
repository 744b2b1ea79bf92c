"""Pairs of contents that are near neighbours in the active embedding space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.progress import EventSink, ignore_events
from photoindex.store.photos.duplicates import contents_of_vectors
from photoindex.store.vectors.spaces import active_space, count_vectors
from photoindex.vectors.near_pairs import near_pairs

_CHUNK_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class NearInSpace:
    """Near pairs of contents, int64 [n, 2] asset ids, each pair once; and the name of the space."""

    space: str
    pairs: NDArray[np.int64]


def near_in_space(library: Library, emit: EventSink = ignore_events) -> NearInSpace | None:
    """Return pairs of contents that are near in the active space; None if there is no active space or no vector."""
    with library.database.read() as connection:
        space = active_space(connection)
        count = 0 if space is None else count_vectors(connection, space.id)
    if space is None or count < 2:
        return None
    index = open_index(library, space, emit)
    found = [np.stack([one.first, one.second], axis=1) for one in near_pairs(index.blocks, count)]
    if not found:
        return NearInSpace(space.name, np.zeros((0, 2), np.int64))
    vectors = np.unique(np.concatenate(found), axis=0)
    contents = list(_contents(library, vectors))
    return NearInSpace(space.name, np.concatenate(contents))


def _contents(library: Library, vectors: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Convert pairs of vectors to pairs of contents, without vectors of later video frames and of contents that are gone."""
    for start in range(0, len(vectors), _CHUNK_PAIRS):
        chunk = vectors[start : start + _CHUNK_PAIRS]
        with library.database.read() as connection:
            known = contents_of_vectors(connection, np.unique(chunk).tolist())
        pairs = ((known.get(first), known.get(second)) for first, second in chunk.tolist())
        kept = [(first, second) for first, second in pairs if first is not None and second is not None]
        yield np.array(kept, np.int64).reshape(-1, 2)
