"""The pairs of pictures that earlier searches compared, so that each is compared once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.domain.same_picture.agreement import Agreement
from photoindex.domain.same_picture.compare import VERSION, PictureComparison
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
    "task_of",
]

_ID_BITS = 32


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

    def load(self, connection: Connection) -> None:
        """Read what is known."""
        if self.keep:
            stored = compared_pairs.stored(connection, version=VERSION)
            self._pairs = {(one.first, one.second): one for one in stored}
            self._has_other_versions = compared_pairs.has_other_versions(connection, version=VERSION)

    def are_known(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell for pairs of asset ids whether they need no comparison: it was made, or left out as they are linked."""
        done = [key for key, one in self._pairs.items() if one.outcome != ONE_PHOTO]
        keys = np.array(done, np.int64).reshape(-1, 2)
        return np.isin(first << _ID_BITS | second, keys[:, 0] << _ID_BITS | keys[:, 1])

    def get(self, first: int, second: int) -> StoredPair | None:
        """Return what is known of a pair."""
        return self._pairs.get((first, second))

    def with_outcome(self, outcome: str) -> Iterator[StoredPair]:
        """Return the pairs with an outcome."""
        return (one for one in list(self._pairs.values()) if one.outcome == outcome)

    def note(self, one: Compared) -> None:
        """Remember that a pair shows the same picture. Others are far too many to keep, see `note_other`."""
        if one.comparison.same:
            self._set(StoredPair(one.task.first, one.task.second, SAME, _found(one)))

    def note_other(self, task: Task) -> None:
        """Remember that a pair shows different pictures, because it would be looked at again."""
        known = self._pairs.get((task.first, task.second))
        if known is None or known.outcome != SAME:
            self._set(StoredPair(task.first, task.second, OTHER, "{}"))

    def note_left_out(self, task: Task, outcome: str) -> None:
        """Remember a pair that is not compared: LINKED or ONE_PHOTO. A result that is known stays."""
        known = self._pairs.get((task.first, task.second))
        if known is None or known.outcome not in (SAME, OTHER):
            self._set(StoredPair(task.first, task.second, outcome, json.dumps(_task(task))))

    def save(self, done: Sequence[int] = (), *, space_id: int | None = None, in_space: Sequence[int] = ()) -> None:
        """Write what changed. done: contents that were compared with all others. in_space: with their neighbours in a space.

        Where nothing can be written, what was found is known to this process alone.
        """
        if not self.keep or not (self._changed or len(done) or len(in_space)):
            return
        with suppress(DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline):
            with self._library.database.write() as connection:
                if self._has_other_versions:
                    compared_pairs.forget_other_versions(connection, version=VERSION)
                compared_pairs.put(connection, list(self._changed.values()), version=VERSION)
                compared_pairs.mark(connection, done, version=VERSION)
                if space_id is not None:
                    compared_pairs.mark_neighbours(connection, in_space, space_id)
            self._changed.clear()
            self._has_other_versions = False

    def forget_marks(self, asset_ids: Sequence[int]) -> None:
        """Have contents compared again with all others, because some others came while they were away."""
        if asset_ids and self.keep:
            with (
                suppress(DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline),
                self._library.database.write() as connection,
            ):
                compared_pairs.unmark(connection, asset_ids)

    def _set(self, pair: StoredPair) -> None:
        key = pair.first, pair.second
        if self._pairs.get(key) != pair:
            self._pairs[key] = self._changed[key] = pair


def compared_of(pair: StoredPair) -> Compared:
    """Return the comparison of a pair that shows the same picture."""
    found = json.loads(pair.found)
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
    found = json.loads(pair.found)
    start = Start.unpacked(found.get("start", -1))
    return Task(pair.first, pair.second, found.get("turn", 0), found.get("thorough", True), start)


def _task(task: Task) -> dict[str, Any]:
    start = -1 if task.start is None else task.start.packed
    return {"turn": task.turn, "thorough": task.thorough, "start": start}


def _found(one: Compared) -> str:
    comparison = one.comparison
    assert comparison.agreement is not None
    agreement = {name: _plain(value) for name, value in asdict(comparison.agreement).items()}
    map_ = None if comparison.map_ is None else comparison.map_.ravel().tolist()
    found = _task(one.task) | {
        "agreement": agreement,
        "orientation": comparison.orientation,
        "map": map_,
        "same_colours": bool(one.same_colours),
        "shift_px": one.shift_px,
        "noise": one.noise,
    }
    return json.dumps(found)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it. Numbers are not rounded, so that a later search says the same."""
    return value.item() if isinstance(value, np.generic) else value
