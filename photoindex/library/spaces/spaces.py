"""Lists the embedding spaces of a library, activates one for search, and drops them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection

from photoindex.errors import ModelUnavailable, NothingFound, UsageError
from photoindex.library.embed.model_choice import embed_hint
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.stage_run import lock_name
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.stages import embed
from photoindex.store.search import vector_photos
from photoindex.store.tasks import asset_tasks
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow

if TYPE_CHECKING:
    from photoindex.models.weights import InstalledModel

_WAIT_FOR_INDEX_SECONDS = 2.0
"""How long to wait for a search that is merging new vectors."""


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """One space. vectors: in it. lacking: pictures not embedded yet. given_up: pictures that could not be embedded.

    installed: its model is installed with the same weights. index_bytes: size of its index on disk. calibration: `current`;
    `outdated`, where it was measured with other probe texts or at another size and the next search or embed measures it
    again; or `none`.
    """

    space: SpaceRow
    vectors: int
    lacking: int
    given_up: int
    installed: bool
    index_bytes: int
    calibration: Literal["current", "outdated", "none"]


def list_spaces(library: Library) -> list[SpaceStatus]:
    """Return all spaces, oldest first; takes about a second per space for a million photos."""
    keys = _installed_keys(library)
    with library.database.read() as connection:
        return [_status(library, connection, space, keys) for space in spaces.all_spaces(connection)]


def _status(
    library: Library, connection: Connection, space: SpaceRow, installed_keys: Container[str | None]
) -> SpaceStatus:
    vectors = spaces.count_vectors(connection, space.id)
    return SpaceStatus(
        space,
        vectors=vectors,
        lacking=spaces.count_not_embedded(connection, space),
        given_up=asset_tasks.count_given_up(connection, space.tasks),
        installed=vector_photos.variant_key(connection, space.id) in installed_keys,
        index_bytes=_size_of_index(library, space),
        calibration=_calibration_state(space, vectors),
    )


def _calibration_state(space: SpaceRow, vectors: int) -> Literal["current", "outdated", "none"]:
    from photoindex.library.spaces.calibration import from_json
    from photoindex.library.spaces.probe_texts import VERSION

    if space.calibration is None:
        return "none"
    kept = from_json(space.calibration)
    return "current" if kept is not None and kept.is_current(vectors, VERSION) else "outdated"


def use_space(library: Library, name: str, *, force: bool = False) -> SpaceRow:
    """Activate a space for search; a search that is running uses either the old or the new one.

    Raises NothingFound if there is no such space, UsageError if pictures are not embedded in it and `force` is not set.
    """
    with library.database.write() as connection:
        space = _named(library, connection, name)
        lacking = spaces.count_not_embedded(connection, space)
        if lacking and not force:
            raise UsageError(
                f"{lacking:,} {'picture is' if lacking == 1 else 'pictures are'} not embedded in the space '{name}'; embed "
                f"them first: photoindex embed --model {space.model}, or use it anyway with --force"
            )
        spaces.use(connection, space.id)
        return _named(library, connection, name)


def drop_space(library: Library, name: str, emit: EventSink = ignore_events) -> int:
    """Permanently remove a space with its vectors, tasks and index; return the number of vectors removed.

    Works in batches, so that a scan can run meanwhile; if interrupted, drop the space again to finish. Raises NothingFound,
    LibraryLocked while `embed` runs or an index is written.
    """
    from photoindex.library.index.maintain import LOCK_NAME as INDEX_LOCK_NAME

    with (
        exclusive(library.folder, "spaces drop", name=lock_name(embed.STAGE)),
        exclusive(library.folder, "spaces drop", name=INDEX_LOCK_NAME, wait_seconds=_WAIT_FOR_INDEX_SECONDS),
    ):
        with library.database.write() as connection:
            space = _named(library, connection, name)
            total = spaces.count_vectors(connection, space.id)
            spaces.begin_drop(connection, space)
        emit(PhaseStarted("dropping", total, "vectors"))
        gone = 0
        while True:
            with library.database.write() as connection:
                some = spaces.drop_some(connection, space)
                if not some:
                    spaces.drop(connection, space)
                    break
            gone += some
            emit(PhaseAdvanced("dropping", gone))
        emit(PhaseFinished("dropping", gone, 0.0))
        shutil.rmtree(library.indices_folder / str(space.id), ignore_errors=True)
    return gone


def space_of(library: Library, name: str) -> SpaceRow:
    """Return the space of this name. Raises NothingFound, listing the known ones."""
    with library.database.read() as connection:
        return _named(library, connection, name)


def space_names(library: Library) -> list[str]:
    """Return the names of all spaces, oldest first."""
    with library.database.read() as connection:
        return [one.name for one in spaces.all_spaces(connection)]


def _named(library: Library, connection: Connection, name: str) -> SpaceRow:
    found = spaces.space_named(connection, name)
    if found is None:
        known = ", ".join(one.name for one in spaces.all_spaces(connection))
        raise NothingFound(f"there is no space '{name}'; {f'spaces: {known}' if known else embed_hint(library)}")
    return found


def _installed_keys(library: Library) -> set[str]:
    """Return the variants of the installed models; none if the models' lock file is damaged."""
    from photoindex.models.weights import ModelStore

    try:
        installed = ModelStore(library.models_folder).installed()
    except ModelUnavailable:
        return set()
    return {json.dumps(variant_of(one), sort_keys=True, separators=(",", ":")) for one in installed}


def _size_of_index(library: Library, space: SpaceRow) -> int:
    return sum(_sizes(os.path.join(library.indices_folder, str(space.id))))


def _sizes(folder: str) -> Iterator[int]:
    for where, _folders, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(where, name)).st_size
            except FileNotFoundError:
                continue  # a generation replaced meanwhile


def variant_of(installed: InstalledModel) -> dict[str, object]:
    """Return the variant of the embed stage for an installed model. Raises ModelUnavailable for a face pack."""
    encoders = installed.encoders
    return embed.variant(
        model=installed.id,
        digest=installed.digest,
        preprocessing=encoders.preprocessing,
        dim=encoders.dim,
    )
