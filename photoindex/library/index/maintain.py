"""Opens the index of a space for search, merges new vectors into it, and rebuilds it from the database."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import LibraryLocked, NothingFound, PhotoIndexError
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.index.validation import (
    DAMAGED_NAME,
    DatabaseVectors,
    blocks_of,
    checked_generation,
    count_newer,
    folder_of,
    newest_vectors,
    size_of,
)
from photoindex.library.lock import exclusive
from photoindex.library.night.measuring import note_merge
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.vectors import spaces
from photoindex.store.vectors import vectors as vector_rows
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.vectors.base import IndexDamaged

if TYPE_CHECKING:
    from photoindex.vectors.generation import Generation
    from photoindex.vectors.space_index import SpaceIndex

LOCK_NAME = "index.lock"

DUE_LEAST = 1_000
DUE_MOST = 10_000
DUE_SHARE = 0.1
"""New vectors are merged when there are DUE_SHARE of the merged ones, but at least DUE_LEAST and at most DUE_MOST."""
OVERDUE = 3 * DUE_MOST
"""This many unmerged vectors mean that a merge was interrupted: the next search merges first."""
GONE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class IndexUpdate:
    """The result of updating one space's index.

    vectors: in the index now. joined: vectors added. dropped: stale vectors removed. freed_bytes: on disk, may be negative.
    changed: whether a new generation was written.
    """

    space: SpaceRow
    vectors: int
    joined: int
    dropped: int
    freed_bytes: int
    seconds: float
    changed: bool = True


def open_index(
    library: Library, space: SpaceRow, events: EventSink = ignore_events, *, repair: bool = True
) -> SpaceIndex:
    """Open a space's index for searching: the merged vectors, and the newest ones from the database.

    A damaged index is reported and rebuilt from the database; of a missing one the vectors are only copied, and the next
    merge does the rest. If that is not possible (another process is writing it, the disk is full or read-only, or `repair`
    is False), all vectors are read from the database and searched exactly. Never waits for a merge. Raises DatabaseFailed
    if the database has vectors of the wrong dimension.
    """
    from photoindex.vectors.space_index import SpaceIndex

    truth = DatabaseVectors(library, space, events)
    generation = _opened_or_repaired(library, space, events, repair=repair)
    after = 0 if generation is None else generation.manifest.largest_id
    overdue = count_newer(library, space, after) if repair else 0
    if overdue > OVERDUE and generation is None:
        text = f"space '{space.name}' has no index yet: its {overdue:,} vectors are copied from the database, once"
        events(Notice(text))
    if overdue > OVERDUE and _merge_if_possible(library, space, events):
        generation = _opened_or_repaired(library, space, events, repair=False)
        after = 0 if generation is None else generation.manifest.largest_id
    return SpaceIndex(generation, newest_vectors(library, space, after), truth)


def is_due(merged: int, unmerged: int) -> bool:
    """Tell whether there are enough new vectors for a merge."""
    return unmerged >= min(max(DUE_LEAST, DUE_SHARE * merged), DUE_MOST)


def merge_if_due(library: Library, space: SpaceRow, emit: EventSink = ignore_events) -> bool:
    """Merge new vectors into the index if there are many, or rebuild it if many are gone or it is damaged.

    Return whether it was changed; False if another process is writing it. Searches continue meanwhile and never wait.
    Raises StorageFull, DatabaseFailed.
    """
    try:
        generation = checked_generation(library, space)
    except IndexDamaged:
        return _update(library, space, emit, whole=True) is not None
    if generation is not None and generation.lacks_codes:
        return _update(library, space, emit, whole=False) is not None
    merged, largest = (0, 0) if generation is None else (len(generation), generation.manifest.largest_id)
    with library.database.read() as connection:
        still = vector_rows.count_up_to(connection, space.id, largest)
        unmerged = vector_rows.count_after(connection, space.id, largest)
    many_gone = still > merged or merged - still > max(DUE_LEAST, GONE_SHARE * merged)
    if not many_gone and not is_due(merged, unmerged):
        return False
    return _update(library, space, emit, whole=many_gone) is not None


def merge_all_due(library: Library, emit: EventSink = ignore_events) -> None:
    """Call `merge_if_due` for every space, at the end of another operation.

    Failures are only reported, and a later command retries: an index is a cache of the database.
    """
    for space in chosen_spaces(library, ()):
        try:
            merge_if_due(library, space, emit)
        except (PhotoIndexError, IndexDamaged) as error:
            emit(
                Notice(
                    f"the index of space '{space.name}' could not be updated: {error}; searches still find everything",
                    level="warning",
                )
            )


def rebuild(library: Library, names: Sequence[str] = (), emit: EventSink = ignore_events) -> Iterator[IndexUpdate]:
    """Rebuild the indices of the named spaces, or of all, from the database, whatever their state.

    Raises NothingFound for an unknown name, LibraryLocked while another process writes an index, StorageFull.
    """
    for space in chosen_spaces(library, names):
        with _writing(library, "index rebuild", space):
            yield _write_whole(library, space, emit)


def optimize(library: Library, names: Sequence[str] = (), emit: EventSink = ignore_events) -> Iterator[IndexUpdate]:
    """Optimize the indices of the named spaces, or of all: merge all vectors and drop stale ones.

    Also removes leftovers of killed commands and dropped spaces. An index that is already optimal is left alone. Raises
    like `rebuild`.
    """
    from photoindex.vectors.generation_writer import remove_leftovers

    for space in chosen_spaces(library, names):
        with _writing(library, "index optimize", space):
            _remove_folders_of_dropped(library)
            generation = _optimal_generation(library, space)
            if generation is None:
                yield _write_whole(library, space, emit)
            else:
                freed = remove_leftovers(folder_of(library, space.id), generation.folder.name)
                yield IndexUpdate(space, len(generation), 0, 0, freed, 0.0, changed=False)


def chosen_spaces(library: Library, names: Sequence[str]) -> list[SpaceRow]:
    """Return the named spaces, or all if no name is given. Raises NothingFound for an unknown name."""
    with library.database.read() as connection:
        there = spaces.all_spaces(connection)
    known = {one.name: one for one in there}
    for name in names:
        if name not in known:
            raise NothingFound(f"there is no space '{name}'; see: photoindex spaces list")
    return [known[name] for name in names] or there


def _opened_or_repaired(library: Library, space: SpaceRow, events: EventSink, *, repair: bool) -> Generation | None:
    try:
        return checked_generation(library, space)
    except IndexDamaged as error:
        problem = str(error)
    if repair:
        events(
            Notice(
                f"the index of space '{space.name}' is damaged ({problem}); rebuilding it from the database",
                level="warning",
            )
        )
        try:
            if _update(library, space, events, whole=True, quickly=True):
                return checked_generation(library, space)
        except (PhotoIndexError, IndexDamaged) as error:
            problem = str(error)
        else:
            problem = "another photoindex command is writing it"
    events(
        Notice(
            f"the index of space '{space.name}' cannot be used ({problem}); reading all its vectors from the database, "
            "which takes longer",
            level="warning",
        )
    )
    return None


def _merge_if_possible(library: Library, space: SpaceRow, events: EventSink) -> bool:
    """Merge before a search, which continues without a merge if the disk is full or read-only."""
    try:
        return _update(library, space, events, whole=False, quickly=True) is not None
    except (PhotoIndexError, IndexDamaged) as error:
        events(
            Notice(
                f"the newest vectors of space '{space.name}' cannot be merged into its index ({error}); reading them from "
                "the database, which takes longer",
                level="warning",
            )
        )
        return False


def _update(
    library: Library, space: SpaceRow, emit: EventSink, *, whole: bool, quickly: bool = False
) -> IndexUpdate | None:
    """Merge new vectors, or rebuild the index with `whole`; None if another process is writing it.

    quickly: of an index that is missing or damaged only the vectors are copied.
    """
    try:
        with _writing(library, "merging vectors", space):
            made = None
            if not whole:
                with suppress(IndexDamaged):
                    generation = checked_generation(library, space)
                    if generation is not None:
                        made = _append(library, space, generation, emit)
            if made is None:
                made = _write_whole(library, space, emit, coded=not quickly)
    except LibraryLocked:
        return None
    if made.changed:
        note_merge(library, made.seconds)
    return made


@contextmanager
def _writing(library: Library, command: str, space: SpaceRow) -> Iterator[None]:
    """Hold the lock for writing indices. Raises LibraryLocked."""
    with (
        disk_errors(f"writing the index of space '{space.name}'"),
        exclusive(library.folder, command, name=LOCK_NAME),
    ):
        yield


def _append(library: Library, space: SpaceRow, base: Generation, emit: EventSink) -> IndexUpdate:
    from photoindex.vectors.generation_writer import append

    began = time.perf_counter()
    newest = base.manifest.largest_id
    waiting = count_newer(library, space, newest)
    if not waiting and not base.lacks_codes:
        return IndexUpdate(space, len(base), 0, 0, 0, 0.0, changed=False)
    with progress(emit, space, waiting) as advance:
        append(folder_of(library, space.id), base, blocks_of(library, space, newest), advance=advance)
    return IndexUpdate(space, len(base) + waiting, waiting, 0, 0, time.perf_counter() - began)


def _write_whole(library: Library, space: SpaceRow, emit: EventSink, *, coded: bool = True) -> IndexUpdate:
    from photoindex.vectors.generation import open_generation
    from photoindex.vectors.generation_writer import write

    began = time.perf_counter()
    folder = folder_of(library, space.id)
    before: NDArray[np.int64] = np.zeros(0, np.int64)
    with suppress(IndexDamaged):
        old = open_generation(folder, space.dim)
        before = before if old is None else old.ids
        del old  # an open file would keep its space on disk
    size_before = size_of(folder)
    with progress(emit, space, count_newer(library, space, 0)) as advance:
        write(folder, blocks_of(library, space, 0), space.dim, advance=advance, coded=coded)
    (folder / DAMAGED_NAME).unlink(missing_ok=True)
    made = open_generation(folder, space.dim)
    after = before if made is None else made.ids
    return IndexUpdate(
        space,
        vectors=len(after),
        joined=len(np.setdiff1d(after, before, assume_unique=True)),
        dropped=len(np.setdiff1d(before, after, assume_unique=True)),
        freed_bytes=size_before - size_of(folder),
        seconds=time.perf_counter() - began,
    )


def _optimal_generation(library: Library, space: SpaceRow) -> Generation | None:
    """Return a space's generation if rewriting it would not improve it, else None."""
    try:
        generation = checked_generation(library, space)
    except IndexDamaged:
        return None
    if generation is None or generation.lacks_codes or len(generation.manifest.pieces) > 1:
        return None
    with library.database.read() as connection:
        still = vector_rows.count_up_to(connection, space.id, generation.manifest.largest_id)
        newer = vector_rows.count_after(connection, space.id, generation.manifest.largest_id)
    return generation if (still, newer) == (len(generation), 0) else None


def _remove_folders_of_dropped(library: Library) -> None:
    with library.database.read() as connection:
        there = {str(one.id) for one in spaces.all_spaces(connection)}
    with suppress(FileNotFoundError):
        for name in os.listdir(library.indices_folder):
            if name.isdigit() and name not in there:
                shutil.rmtree(library.indices_folder / name, ignore_errors=True)


@contextmanager
def progress(emit: EventSink, space: SpaceRow, total: int) -> Iterator[WriteProgress]:
    """Yield a callback for the progress of a write; total: the number of vectors it will read."""
    steps = WriteProgress(emit, space.name, total)
    yield steps
    steps.finish()


class WriteProgress:
    """Reports the steps of a write, each as its own phase."""

    def __init__(self, emit: EventSink, name: str, total: int) -> None:
        self._emit = emit
        self._phases = {"vectors": f"reading the vectors of {name}", "codes": f"indexing {name}"}
        self._total = total
        self._step = ""
        self._done = 0
        self._began = 0.0

    def __call__(self, step: str, rows: int) -> None:
        """Report how many vectors are done in a step, `vectors` or `codes`."""
        if step != self._step:
            self.finish()
            self._step, self._began = step, time.perf_counter()
            self._emit(PhaseStarted(self._phases[step], self._total, "vectors"))
        self._done = rows
        self._emit(PhaseAdvanced(self._phases[step], rows))

    def finish(self) -> None:
        """End the running phase."""
        if self._step:
            self._emit(PhaseFinished(self._phases[self._step], self._done, time.perf_counter() - self._began))
            self._step = ""
