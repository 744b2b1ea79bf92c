"""Settling: what became of the library's facts when files, sidecars, corrections or decisions changed, worked out anew.

All of it follows from what is in the database; no original is opened. The work waits in the database (folders that are
not related, photos that are not resolved), so a kill loses nothing, and each piece is safe to repeat.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from photoindex.pipeline.resolve.photo import Resolver
from photoindex.pipeline.resolve.relate import relate_folder
from photoindex.pipeline.resolve.time_neighbours import Told, ask_neighbours, tell
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.database import Session
from photoindex.store.photos import times
from photoindex.store.tasks import stale

RELATING = "relating"
RESOLVING = "resolving"
_FOLDERS_AT_ONCE = 50
_PHOTOS_AT_ONCE = 200
_SECONDS_AT_ONCE = 1.0
"""A transaction takes no further folder after so long: other commands wait for the library meanwhile."""


@dataclass(slots=True)
class Settling:
    """One run over what is left to work out; `stop` is asked between transactions."""

    session: Session
    resolver: Resolver
    emit: EventSink
    stop: Callable[[], bool] = lambda: False

    def run(self) -> None:
        """Relate folders, resolve photos, then let neighbours speak; what is left when stopped waits for the next run."""
        with self.session.read() as connection:
            folders = stale.unrelated(connection)
            if stale.is_any(connection) and stale.has_positions(connection):
                self.resolver.places.prepare()
        self._relate(folders)
        self._resolve()
        with self.session.read() as connection:
            folders = stale.unrelated(connection)
        self._neighbours(folders)

    def _relate(self, folders: list[int]) -> None:
        for start in self._steps(RELATING, "folders", len(folders), _FOLDERS_AT_ONCE):
            left = deque(folders[start : start + _FOLDERS_AT_ONCE])
            while left and not self.stop():
                began = time.monotonic()
                with self.session.write() as connection:
                    while left and time.monotonic() - began < _SECONDS_AT_ONCE:
                        relate_folder(connection, left.popleft())

    def _resolve(self) -> None:
        with self.session.read() as connection:
            total = stale.count_to_resolve(connection)
        for _ in self._steps(RESOLVING, "photos", total, _PHOTOS_AT_ONCE):
            with self.session.write() as connection:
                photo_ids = stale.take_to_resolve(connection, _PHOTOS_AT_ONCE)
                for photo_id in photo_ids:
                    self.resolver.refresh(connection, photo_id)
                times.mark_folders_of_photos_unrelated(connection, photo_ids)

    def _neighbours(self, folders: list[int]) -> None:
        for folder_id in folders:
            with self.session.read() as connection:
                told = ask_neighbours(connection, folder_id)
            # What a photo was told is no evidence for others, so that a folder may be told in pieces.
            for piece in _pieces(told):
                if self.stop():
                    return
                with self.session.write() as connection:
                    tell(connection, piece, self.resolver)
            if self.stop():
                return
            with self.session.write() as connection:
                stale.is_related(connection, folder_id)

    def _steps(self, phase: str, unit: str, total: int, size: int) -> Iterator[int]:
        """Yield where each step begins, telling of the progress where it takes more than one."""
        emit = self.emit if total > size else ignore_events
        started = time.perf_counter()
        emit(PhaseStarted(phase, total, unit))
        for start in range(0, total, size):
            if self.stop():
                return
            yield start
            emit(PhaseAdvanced(phase, min(start + size, total)))
        emit(PhaseFinished(phase, total, time.perf_counter() - started))


def _pieces(told: Told) -> Iterator[Told]:
    items = list(told.items())
    for start in range(0, len(items), _PHOTOS_AT_ONCE):
        yield dict(items[start : start + _PHOTOS_AT_ONCE])
