"""Pairs of contents that are near neighbours in the active embedding space."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.domain.same_picture.compare import VERSION
from photoindex.domain.same_picture.hashes import VERSION as HASHES
from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.progress import EventSink, ignore_events
from photoindex.store.photos import compared_pairs
from photoindex.store.photos.duplicates import contents_of_vectors
from photoindex.store.vectors.spaces import SpaceRow, count_vectors
from photoindex.vectors.near_pairs import near_pairs

_CHUNK_PAIRS = 20_000


def near_pairs_of(
    library: Library, space: SpaceRow, asset_ids: NDArray[np.int64], emit: EventSink = ignore_events
) -> NDArray[np.int64]:
    """Return the near neighbours of some contents in a space: int64 [n, 2], asset ids, each pair once."""
    none = np.zeros((0, 2), np.int64)
    with library.database.read() as connection:
        count = count_vectors(connection, space.id)
    if count < 2 or not len(asset_ids):
        return none
    index = open_index(library, space, emit)
    found = [np.stack([one.first, one.second], axis=1) for one in near_pairs(index.blocks, count)]
    vectors = np.unique(np.concatenate(found), axis=0) if found else none
    pairs = np.concatenate([none, *_contents(library, vectors)])
    return pairs[np.isin(pairs, asset_ids).any(axis=1)]


def not_compared(connection: Connection, space_id: int) -> NDArray[np.int64]:
    """Return the contents with hashes and a vector in a space that were not compared with their neighbours there, ascending."""
    hashed = compared_pairs.hashed(connection, hashes=HASHES)
    done = compared_pairs.marked(connection, hashes=HASHES, version=VERSION, space_id=space_id)
    return np.setdiff1d(np.intersect1d(compared_pairs.embedded(connection, space_id), hashed), done)


def _contents(library: Library, vectors: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Convert pairs of vectors to pairs of contents, without vectors of later video frames and of contents that are gone."""
    for start in range(0, len(vectors), _CHUNK_PAIRS):
        chunk = vectors[start : start + _CHUNK_PAIRS]
        with library.database.read() as connection:
            known = contents_of_vectors(connection, np.unique(chunk).tolist())
        pairs = ((known.get(first), known.get(second)) for first, second in chunk.tolist())
        kept = [(first, second) for first, second in pairs if first is not None and second is not None]
        yield np.array(kept, np.int64).reshape(-1, 2)
