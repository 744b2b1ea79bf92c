"""The status of each space's index: merged, unmerged and stale vectors, and whether its files are intact."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from photoindex.library.handle import Library
from photoindex.library.index.maintain import chosen_spaces, is_due
from photoindex.library.index.validation import checked_generation, folder_of, note_damage, size_of
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.vectors import spaces
from photoindex.store.vectors import vectors as vector_rows
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.vectors.base import IndexDamaged


class IndexState(StrEnum):
    """none: nothing has been merged yet; merge due: the next command that adds vectors merges them."""

    NONE = "none"
    CURRENT = "current"
    MERGE_DUE = "merge due"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The status of one space's index.

    vectors: in the database. merged: in the generation, including stale ones. unmerged: newer than the generation. gone: in
    the generation, but no longer in the database. generation: its folder's name. coded: searched by codes, else exactly.
    verified: whether all bytes were checked against their checksums.
    """

    space: SpaceRow
    state: IndexState
    vectors: int
    merged: int = 0
    unmerged: int = 0
    gone: int = 0
    generation: str | None = None
    coded: bool = False
    made_at: float | None = None
    faiss: str | None = None
    size_bytes: int = 0
    verified: bool = False
    problem: str | None = None


def index_status(
    library: Library, names: Sequence[str] = (), emit: EventSink = ignore_events, *, verify: bool = False
) -> Iterator[IndexStatus]:
    """Yield the status of the index of each named space, or of all.

    `verify` checks every byte against its checksum; a damaged index is rebuilt by the next command that uses or merges it.
    Raises NothingFound for an unknown name.
    """
    for space in chosen_spaces(library, names):
        yield _status(library, space, emit, verify=verify)


def _status(library: Library, space: SpaceRow, emit: EventSink, *, verify: bool) -> IndexStatus:
    size = size_of(folder_of(library, space.id))
    with library.database.read() as connection:
        vectors = spaces.count_vectors(connection, space.id)
    try:
        generation = checked_generation(library, space)
        if generation is not None and verify:
            _verify(space, generation.verify_vectors, len(generation), emit)
    except IndexDamaged as error:
        if verify:
            note_damage(library, space, str(error))
        return IndexStatus(
            space, IndexState.DAMAGED, vectors, unmerged=vectors, size_bytes=size, problem=str(error), verified=verify
        )
    if generation is None:
        return IndexStatus(space, IndexState.NONE, vectors, unmerged=vectors, size_bytes=size, verified=verify)
    manifest = generation.manifest
    with library.database.read() as connection:
        still = vector_rows.count_up_to(connection, space.id, manifest.largest_id)
        unmerged = vector_rows.count_after(connection, space.id, manifest.largest_id)
    return IndexStatus(
        space,
        IndexState.MERGE_DUE if generation.lacks_codes or is_due(manifest.rows, unmerged) else IndexState.CURRENT,
        vectors=still + unmerged,
        merged=manifest.rows,
        unmerged=unmerged,
        gone=max(0, manifest.rows - still),
        generation=generation.folder.name,
        coded=generation.codes is not None,
        made_at=manifest.made_at,
        faiss=manifest.faiss,
        size_bytes=size,
        verified=verify,
    )


def _verify(
    space: SpaceRow, verify_vectors: Callable[[Callable[[int], None]], None], rows: int, emit: EventSink
) -> None:
    phase = f"verifying the index of {space.name}"
    began = time.perf_counter()
    emit(PhaseStarted(phase, rows, "vectors"))
    verify_vectors(lambda done: emit(PhaseAdvanced(phase, done)))
    emit(PhaseFinished(phase, rows, time.perf_counter() - began))
