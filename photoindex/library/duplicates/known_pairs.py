"""The pairs of pictures that earlier searches compared, so that each is compared once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.agreement import Agreement
from photoindex.domain.same_picture.compare import VERSION, PictureComparison
from photoindex.domain.same_picture.hashes import VERSION as HASHES
from photoindex.errors import DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline
from photoindex.library.handle import Library
from photoindex.pipeline.duplicates.candidates import Start
from photoindex.pipeline.duplicates.comparison import Compared, Task
from photoindex.store.photos import compared_pairs
from photoindex.store.photos.compared_pairs import LINKED, ONE_PHOTO, OTHER, SAME, StoredPair

__all__ = [
    "LINKED",
    "ONE_PHOTO",
    "OTHER",
    "SAME",
    "KnownPairs",
    "StoredPair",
    "compared_of",
    "marked_contents",
    "task_of",
]


class KnownPairs:
    """What is known of pairs, by their asset ids, the smaller one first; changes are written by `save`.

    keep: False for a search by other rules, which neither uses nor keeps what is known.
    """

    def __init__(self, library: Library, *, keep: bool) -> None:
        self.keep = keep
        self._library = library
        self._has_other_versions = False
        self._pairs: dict[tuple[int, int], StoredPair] = {}
        self._changed: dict[tuple[int, int], StoredPair] = {}
        if keep:
            with library.database.read() as connection:
                self._pairs = {
                    (one.first, one.second): one for one in compared_pairs.stored(connection, version=VERSION)
                }
                self._has_other_versions = compared_pairs.has_other_versions(connection, version=VERSION)

    def get(self, first: int, second: int) -> StoredPair | None:
        """Return what is known of a pair."""
        return self._pairs.get((first, second))

    def with_outcome(self, outcome: str) -> Iterator[StoredPair]:
        """Return the pairs with an outcome."""
        return (one for one in list(self._pairs.values()) if one.outcome == outcome)

    def note(self, one: Compared) -> None:
        """Remember the result of a comparison. Pairs of different pictures are far too many to keep, see `note_other`."""
        pair = one.task.first, one.task.second
        if one.comparison.same:
            self._set(StoredPair(*pair, SAME, _found(one)))
        elif pair in self._pairs:
            self.note_other(one.task)

    def note_other(self, task: Task) -> None:
        """Remember that a pair shows different pictures, because it will be looked at again."""
        self._set(StoredPair(task.first, task.second, OTHER, {}))

    def note_left_out(self, task: Task, outcome: str) -> None:
        """Remember a pair that is not compared: LINKED or ONE_PHOTO."""
        self._set(StoredPair(task.first, task.second, outcome, _task(task)))

    def save(self, done: Iterable[int] = (), *, space: tuple[int, Iterable[int]] | None = None) -> None:
        """Write what changed, and which contents were compared with all others, or with their neighbours in a space.

        Where nothing can be written, what was found is known to this process alone.
        """
        asset_ids = list(done)
        if not self.keep or not (self._changed or asset_ids or space is not None):
            return
        with suppress(DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline):
            with self._library.database.write() as connection:
                if self._has_other_versions:
                    compared_pairs.forget_other_versions(connection, version=VERSION)
                compared_pairs.put(connection, list(self._changed.values()), version=VERSION)
                compared_pairs.mark(connection, asset_ids, version=VERSION)
                if space is not None:
                    compared_pairs.mark_neighbours(connection, list(space[1]), space[0])
            self._changed.clear()
            self._has_other_versions = False

    def _set(self, pair: StoredPair) -> None:
        key = pair.first, pair.second
        if self._pairs.get(key) != pair:
            self._pairs[key] = self._changed[key] = pair


def marked_contents(library: Library) -> NDArray[np.int64]:
    """Return the contents that were compared with all others, int64 [n], ascending."""
    with library.database.read() as connection:
        return compared_pairs.marked(connection, hashes=HASHES, version=VERSION)


def compared_of(pair: StoredPair) -> Compared:
    """Return the comparison of a pair that shows the same picture."""
    found = pair.found
    agreement = Agreement(**found["agreement"])
    map_ = None if found["map"] is None else np.array(found["map"], np.float64).reshape(2, 3)
    return Compared(
        task_of(pair),
        PictureComparison(same=True, agreement=agreement, orientation=found["orientation"], map_=map_),
        same_colours=found["same_colours"],
        shift_px=found["shift_px"],
        noise=found["noise"],
    )


def task_of(pair: StoredPair) -> Task:
    """Return how a pair was, or is to be compared."""
    found = pair.found
    start = Start.unpacked(found.get("start", -1))
    return Task(pair.first, pair.second, found.get("turn", 0), found.get("thorough", True), start)


def _task(task: Task) -> dict[str, Any]:
    start = -1 if task.start is None else task.start.packed
    return {"turn": task.turn, "thorough": task.thorough, "start": start}


def _found(one: Compared) -> dict[str, Any]:
    comparison = one.comparison
    assert comparison.agreement is not None
    agreement = {name: _plain(value) for name, value in asdict(comparison.agreement).items()}
    map_ = None if comparison.map_ is None else comparison.map_.ravel().tolist()
    return _task(one.task) | {
        "agreement": agreement,
        "orientation": comparison.orientation,
        "map": map_,
        "same_colours": bool(one.same_colours),
        "shift_px": one.shift_px,
        "noise": one.noise,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it. Numbers are not rounded, so that a later search says the same."""
    return value.item() if isinstance(value, np.generic) else value
