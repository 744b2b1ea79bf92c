"""Pairs of contents that are near neighbours in the active embedding space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.domain.same_picture.compare import VERSION
from photoindex.domain.same_picture.hashes import VERSION as HASHES
from photoindex.library.handle import Library
from photoindex.library.index.maintain import open_index
from photoindex.progress import EventSink, ignore_events
from photoindex.store.photos import compared_pairs
from photoindex.store.photos.compared_pairs import embedded
from photoindex.store.photos.duplicates import contents_of_vectors
from photoindex.store.vectors.spaces import active_space, count_vectors
from photoindex.vectors.near_pairs import near_pairs

_CHUNK_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class NearInSpace:
    """Near neighbours in one space, and its id and name.

    pairs: int64 [n, 2] asset ids, each pair once. fresh: the contents whose neighbours were asked for, ascending; one of each
    pair is among them.
    """

    space_id: int
    space: str
    pairs: NDArray[np.int64]
    fresh: NDArray[np.int64]


def near_in_space(library: Library, emit: EventSink = ignore_events, *, again: bool = False) -> NearInSpace | None:
    """Return the near neighbours of contents that were not compared with theirs yet; None without an active space.

    again: those of all contents.
    """
    with library.database.read() as connection:
        space = active_space(connection)
        count = 0 if space is None else count_vectors(connection, space.id)
        if space is None or count < 2:
            return None
        fresh = embedded(connection, space.id) if again else not_compared(connection, space.id)
    if not len(fresh):
        return NearInSpace(space.id, space.name, np.zeros((0, 2), np.int64), fresh)
    index = open_index(library, space, emit)
    found = [np.stack([one.first, one.second], axis=1) for one in near_pairs(index.blocks, count)]
    vectors = np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), np.int64)
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *_contents(library, vectors)])
    return NearInSpace(space.id, space.name, pairs[np.isin(pairs, fresh).any(axis=1)], fresh)


def not_compared(connection: Connection, space_id: int) -> NDArray[np.int64]:
    """Return the contents with hashes and a vector in a space that were not compared with their neighbours there, ascending."""
    hashed = compared_pairs.hashed(connection, hashes=HASHES)
    done = compared_pairs.marked(connection, hashes=HASHES, version=VERSION, space_id=space_id)
    return np.setdiff1d(np.intersect1d(embedded(connection, space_id), hashed, assume_unique=True), done)


def _contents(library: Library, vectors: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Convert pairs of vectors to pairs of contents, without vectors of later video frames and of contents that are gone."""
    for start in range(0, len(vectors), _CHUNK_PAIRS):
        chunk = vectors[start : start + _CHUNK_PAIRS]
        with library.database.read() as connection:
            known = contents_of_vectors(connection, np.unique(chunk).tolist())
        pairs = ((known.get(first), known.get(second)) for first, second in chunk.tolist())
        kept = [(first, second) for first, second in pairs if first is not None and second is not None]
        yield np.array(kept, np.int64).reshape(-1, 2)
