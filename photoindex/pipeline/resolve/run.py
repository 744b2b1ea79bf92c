"""Refreshes derived facts after files, sidecars, corrections or decisions changed.

It works from the database alone; no original is opened. The pending work is stored there too (folders to relate, photos to
resolve), so a kill loses nothing, and each step is idempotent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from photoindex.pipeline.resolve.photo import Resolver
from photoindex.pipeline.resolve.relate import relate_folder
from photoindex.pipeline.resolve.time_neighbours import Inferred, infer_from_neighbours, store_inferred
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.database import Session
from photoindex.store.photos import times
from photoindex.store.tasks import stale
from photoindex.store.words import read_albums

RELATING = "relating"
RESOLVING = "resolving"
_FOLDERS_AT_ONCE = 50
_PHOTOS_AT_ONCE = 200
_SECONDS_AT_ONCE = 1.0
"""A transaction starts no further folder after this time, because other commands may be waiting to write."""


@dataclass(slots=True)
class Refresh:
    """One run over the stale folders and photos; `stop` is checked between transactions."""

    session: Session
    resolver: Resolver
    emit: EventSink
    stop: Callable[[], bool] = lambda: False

    def run(self) -> None:
        """Relate folders, resolve photos, gather albums, then infer times; if stopped, the next run does the rest."""
        with self.session.read() as connection:
            folders = stale.unrelated_folders(connection)
            if stale.has_stale(connection) and stale.has_positions(connection):
                self.resolver.places.prepare()
        self._relate(folders)
        self._resolve()
        with self.session.read() as connection:
            folders = stale.unrelated_folders(connection)
        self._gather_albums(folders)
        self._infer_times(folders)

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
                self.resolver.refresh(connection, photo_ids)
                times.mark_folders_of_photos_unrelated(connection, photo_ids)

    def _gather_albums(self, folders: list[int]) -> None:
        """Bring the albums of exports and folders up to date; an export's album has photos from several folders."""
        for some in chunks(folders, _FOLDERS_AT_ONCE):
            if self.stop():
                return
            with self.session.write() as connection:
                read_albums.refresh_folders(connection, some)
        if folders and not self.stop():
            with self.session.write() as connection:
                read_albums.refresh_lists(connection)

    def _infer_times(self, folders: list[int]) -> None:
        for some in chunks(folders, _FOLDERS_AT_ONCE):
            with self.session.read() as connection:
                inferred = infer_from_neighbours(connection, some)
            # Inferred facts are not evidence for other photos, so they may be written in batches.
            for batch in _batches(inferred):
                if self.stop():
                    return
                with self.session.write() as connection:
                    store_inferred(connection, batch, self.resolver)
            if self.stop():
                return
            with self.session.write() as connection:
                stale.mark_related(connection, some)

    def _steps(self, phase: str, unit: str, total: int, size: int) -> Iterator[int]:
        """Yield the start of each step, and report progress if there is more than one."""
        emit = self.emit if total > size else ignore_events
        started = time.perf_counter()
        emit(PhaseStarted(phase, total, unit))
        for start in range(0, total, size):
            if self.stop():
                return
            yield start
            emit(PhaseAdvanced(phase, min(start + size, total)))
        emit(PhaseFinished(phase, total, time.perf_counter() - started))


def _batches(inferred: Inferred) -> Iterator[Inferred]:
    items = list(inferred.items())
    for start in range(0, len(items), _PHOTOS_AT_ONCE):
        yield dict(items[start : start + _PHOTOS_AT_ONCE])
