"""Photos that lie next to each other in the space that search uses."""

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
    """Pairs of contents: int64 [n, 2] asset numbers, each pair once; and the name of the space they are near in."""

    space: str
    pairs: NDArray[np.int64]


def near_in_space(library: Library, emit: EventSink = ignore_events) -> NearInSpace | None:
    """Return the pairs of contents that the space in use puts next to each other; None where there is no space or vector."""
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
    """Yield pairs of vectors as pairs of contents; a vector of a later frame of a video, or one that is gone, takes no part."""
    for start in range(0, len(vectors), _CHUNK_PAIRS):
        chunk = vectors[start : start + _CHUNK_PAIRS]
        with library.database.read() as connection:
            known = contents_of_vectors(connection, np.unique(chunk).tolist())
        pairs = ((known.get(first), known.get(second)) for first, second in chunk.tolist())
        kept = [(first, second) for first, second in pairs if first is not None and second is not None]
        yield np.array(kept, np.int64).reshape(-1, 2)
