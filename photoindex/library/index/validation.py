"""Validates an index against the database: is it undamaged, does it belong to this database, which vectors are newer."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import DatabaseFailed
from photoindex.library.handle import Library
from photoindex.progress import EventSink, Notice, ignore_events
from photoindex.store.vectors import vectors
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.vectors.base import Block, IndexDamaged
from photoindex.vectors.exact import ExactIndex

if TYPE_CHECKING:
    from photoindex.vectors.generation import Generation

DAMAGED_NAME = "DAMAGED"
"""Marker file in an index's folder, written when damage is found: the next command that writes rebuilds the index."""
_SPOT_CHECKS = 16


class DatabaseVectors:
    """The vectors of one space in the database, as `vectors.base.Truth`; damage is recorded for the next merge."""

    def __init__(self, library: Library, space: SpaceRow, events: EventSink = ignore_events) -> None:
        self._library = library
        self._space = space
        self._events = events
        self._reported = False

    def living(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each id whether the space still has this vector, bool [n]."""
        with self._library.database.read() as connection:
            there = vectors.living(connection, self._space.id, ids.tolist())
        return np.fromiter((number in there for number in ids.tolist()), np.bool_, len(ids))

    def fetch(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return these vectors, float16 [n, dim]; NaN for vectors that are gone."""
        with self._library.database.read() as connection:
            data = vectors.data_of(connection, self._space.id, ids.tolist())
        found = np.full((len(ids), self._space.dim), np.nan, np.float16)
        for place, number in enumerate(ids.tolist()):
            if number in data:
                found[place] = np.frombuffer(data[number], vectors.STORED)
        return found

    def damaged(self, problem: str) -> None:
        """Report the damage once, and mark the index for the next command that writes."""
        if self._reported:
            return
        self._reported = True
        self._events(
            Notice(
                f"the index of space '{self._space.name}' is damaged ({problem}); missing vectors were read from the "
                f"database. Rebuild it with: photoindex index rebuild",
                level="warning",
            )
        )
        note_damage(self._library, self._space, problem)


def note_damage(library: Library, space: SpaceRow, problem: str) -> None:
    """Mark an index as damaged, so that it is rebuilt."""
    with suppress(OSError):  # a read-only library
        (folder_of(library, space.id) / DAMAGED_NAME).write_text(problem + "\n", encoding="utf-8")


def folder_of(library: Library, space_id: int) -> Path:
    """Return the folder of a space's index."""
    return library.indices_folder / str(space_id)


def newest_vectors(library: Library, space: SpaceRow, after_id: int) -> ExactIndex:
    """Return the vectors of a space with larger ids, from the database. Raises DatabaseFailed."""
    parts = list(blocks_of(library, space, after_id))
    if not parts:
        return ExactIndex(np.zeros(0, np.int64), np.zeros((0, space.dim), np.float16))
    return ExactIndex(np.concatenate([ids for ids, _ in parts]), np.concatenate([values for _, values in parts]))


def checked_generation(library: Library, space: SpaceRow) -> Generation | None:
    """Return a space's generation after comparing some of its vectors with the database; None if there is none yet.

    Raises IndexDamaged if the files changed after they were written, or were written for another database.
    """
    from photoindex.vectors.generation import open_generation

    folder = folder_of(library, space.id)
    with suppress(OSError):
        raise IndexDamaged((folder / DAMAGED_NAME).read_text(encoding="utf-8", errors="replace").strip())
    generation = open_generation(folder, space.dim)
    if generation is None or not len(generation):
        return generation
    with library.database.read() as connection:
        issued = vectors.largest_ever(connection)
    if issued < generation.manifest.largest_id:
        raise IndexDamaged("it is newer than the database")
    rows = len(generation)
    random = np.random.default_rng(int(time.time()))
    chosen = np.unique(np.append(random.integers(0, rows, _SPOT_CHECKS - 1), rows - 1))
    true = DatabaseVectors(library, space).fetch(generation.ids[chosen])
    there = ~np.isnan(true).all(axis=1)
    if (generation.flat.at(chosen).view(np.uint16) != true.view(np.uint16))[there].any():
        raise IndexDamaged("its vectors differ from the database")
    return generation


def blocks_of(library: Library, space: SpaceRow, after_id: int) -> Iterator[Block]:
    """Yield a space's vectors with larger ids from the database, ascending. Raises DatabaseFailed."""
    with library.database.read() as connection:
        try:
            for block in vectors.blocks(connection, space.id, space.dim, after_id=after_id):
                yield block.ids, block.values
        except ValueError as error:
            raise DatabaseFailed(
                f"the space '{space.name}' has vectors with a dimension other than {space.dim}; drop it and embed again: "
                f"photoindex spaces drop {space.name}"
            ) from error


def count_newer(library: Library, space: SpaceRow, after_id: int) -> int:
    """Return how many vectors of a space have larger ids."""
    with library.database.read() as connection:
        return vectors.count_after(connection, space.id, after_id)


def size_of(folder: Path) -> int:
    """Return the total size of the files below a folder."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # a generation that was replaced meanwhile
                total += os.lstat(os.path.join(where, name)).st_size
    return total
