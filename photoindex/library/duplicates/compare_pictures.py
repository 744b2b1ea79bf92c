"""Compares the pictures that are new with all others ahead of time, so that `duplicates` has little left to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from photoindex.domain.same_picture.compare import VERSION
from photoindex.domain.same_picture.hashes import VERSION as HASHES
from photoindex.library.derived_folder import check_not_away
from photoindex.library.duplicates.near_vectors import not_compared
from photoindex.library.duplicates.pairs import SamePictures
from photoindex.library.handle import Library
from photoindex.progress import EventSink, ignore_events
from photoindex.store.night import throughput
from photoindex.store.photos import compared_pairs
from photoindex.store.vectors.spaces import active_space


@dataclass(frozen=True, slots=True)
class CompareSummary:
    """What a run did. compared: pictures that were compared with all others. pending: those that are still to be. stopped: early."""

    compared: int
    pending: int
    stopped: bool = False


def count_pending(library: Library) -> int:
    """Return how many pictures were not compared with all others yet, or not with their neighbours in the active space."""
    with library.database.read() as connection:
        new = compared_pairs.unmarked(connection, hashes=HASHES, version=VERSION)
        space = active_space(connection)
        pending = new if space is None else np.union1d(new, not_compared(connection, space.id))
        return compared_pairs.present(connection, pending.tolist())


def compare_pictures(
    library: Library, *, limit: int | None = None, emit: EventSink = ignore_events, stop: Callable[[], bool]
) -> CompareSummary:
    """Compare pictures that are new with all others, at most `limit` of them, until told to stop; finished work is kept.

    Raises VolumeOffline where the disk of the previews is away.
    """
    check_not_away(library)
    before = count_pending(library)
    if not before:
        return CompareSummary(0, 0)
    started = time.monotonic()
    search = SamePictures(library, None, emit, stop=stop)
    search.run(limit=limit)
    pending = count_pending(library)
    done = max(0, before - pending)
    if done:
        with library.database.write() as connection:
            throughput.record(connection, throughput.Piece("duplicates", done, time.monotonic() - started))
    return CompareSummary(done, pending, stopped=bool(pending) and stop())
