"""Removes missing files from the library (undoable), and previews that are no longer needed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import NothingFound
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.path_lookup import choose
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import refresh
from photoindex.paths import display, to_text
from photoindex.pipeline.resolve.relate import regroup
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.files.volumes import VolumeRow, all_volumes
from photoindex.store.scan import forget
from photoindex.store.scan.forget import ForgetFilter, ForgetPlan, MissingFile
from photoindex.text import composed

PAGE_ROWS = 1000

_DERIVED_NAME = re.compile(rb"([0-9a-f]{64})\.(?:preview|thumb)\.jpg(\.\d+\.tmp)?")
_DERIVED_FOLDER = re.compile(rb"[0-9a-f]{3}")


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """Which missing files to remove; all given conditions must match.

    paths: files or folders. volumes: labels, ids or mount points. older_than_seconds: missing for at least this long.
    """

    paths: tuple[bytes, ...] = ()
    volumes: tuple[str, ...] = ()
    older_than_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, and the id of the journal entry to undo it; None if there was nothing to remove."""

    plan: ForgetPlan
    entry_id: int | None


@dataclass(frozen=True, slots=True)
class DerivedPruned:
    """Previews and thumbnails that are no longer needed: number of files and bytes."""

    files: int
    bytes: int


def plan_prune(library: Library, request: PruneRequest) -> ForgetPlan:
    """Return what `prune` would remove; nothing is changed. Raises NothingFound and UsageError like `prune`."""
    with library.database.session() as session, session.read() as connection:
        return forget.plan(connection, _forget_filter(connection, request))


def files_to_prune(library: Library, request: PruneRequest) -> Iterator[MissingFile]:
    """Yield the files that `prune` would remove, by id. Raises NothingFound and UsageError like `prune`."""
    with library.database.read() as connection:
        wanted = _forget_filter(connection, request)
    last_id = 0
    while True:
        with library.database.read() as connection:
            page = forget.missing_files(connection, wanted, after_id=last_id, rows=PAGE_ROWS)
        if not page:
            return
        yield from page
        last_id = page[-1].id


def prune(library: Library, request: PruneRequest, emit: EventSink = ignore_events) -> Pruned:
    """Remove missing files, photos without files, and their data from the library, in one undoable transaction.

    Only files in the state `missing` are removed; previews stay, so that an undo restores everything. If many vectors were
    removed, the indices of their spaces are rebuilt. Raises NothingFound for an unknown path or volume, LibraryLocked.
    """
    with exclusive(library.folder, "photoindex prune"), library.database.session() as session:
        with session.write() as connection:
            plan = forget.plan(connection, _forget_filter(connection, request))
            if plan.is_empty:
                return Pruned(plan, None)
            entry_id = forget.carry_out(connection, command="prune", summary=_summary(plan))
            regroup(connection, forget.contents_without_file(connection))
        refresh(library, session, Roots(library.database), ignore_events)
    _merge_indices(library, emit)
    return Pruned(plan, entry_id)


def _merge_indices(library: Library, emit: EventSink) -> None:
    from photoindex.library.index.maintain import merge_all_due

    merge_all_due(library, emit)


def _summary(plan: ForgetPlan) -> str:
    files = f"{plan.files:,} missing {'file' if plan.files == 1 else 'files'}"
    return f"{files} and {plan.photos:,} {'photo' if plan.photos == 1 else 'photos'} removed"


def _forget_filter(connection: Connection, request: PruneRequest) -> ForgetFilter:
    volumes = all_volumes(connection)
    chosen = choose(connection, request.paths)
    age = request.older_than_seconds
    return ForgetFilter(
        file_ids=chosen.file_ids,
        locations=chosen.locations,
        volume_ids=tuple(number for name in request.volumes for number in _volume_ids(volumes, name)),
        missing_before=None if age is None else time.time() - age,
    )


def _is_volume(row: VolumeRow, name: str) -> bool:
    return name in (composed(row.label), str(row.id), composed(to_text(row.mount_point)))


def _volume_ids(volumes: Sequence[VolumeRow], name: str) -> list[int]:
    found = [row.id for row in volumes if _is_volume(row, composed(name))]
    if not found:
        known = "; ".join(f"{row.id} {row.label}" for row in volumes) or "none"
        raise NothingFound(f"the library has no volume '{name}'; volumes: {known}")
    return found


def prune_derived(library: Library, *, dry_run: bool = False, emit: EventSink = ignore_events) -> DerivedPruned:
    """Delete previews and thumbnails of contents that are neither in the library nor in an undoable journal entry.

    Files with other names are left alone. This cannot be undone. Raises LibraryLocked.
    """
    root = os.fsencode(library.derived_folder)
    with (
        disk_errors(f"removing previews in {display(root)}"),
        exclusive(library.folder, "photoindex prune --derived"),
    ):
        with library.database.read() as connection:
            undoable = forget.digests_that_undo_brings_back(connection)
        folders = derived_folders(root)
        started = time.perf_counter()
        emit(PhaseStarted("looking at previews", len(folders), "folders"))
        files = size = 0
        for number, name in enumerate(folders, 1):
            folder = os.path.join(root, name)
            with library.database.read() as connection:
                unneeded = unneeded_files(connection, folder, undoable)
            for path in unneeded:
                files += 1
                size += os.lstat(path).st_size
                if not dry_run:
                    os.unlink(path)
            emit(PhaseAdvanced("looking at previews", number))
        emit(PhaseFinished("looking at previews", len(folders), time.perf_counter() - started))
    return DerivedPruned(files, size)


def derived_folders(root: bytes) -> list[bytes]:
    """Return the names of the folders of previews in the derived folder, sorted."""
    return sorted(name for name in _names(root) if _DERIVED_FOLDER.fullmatch(name))


def unneeded_files(connection: Connection, folder: bytes, undoable: set[bytes]) -> list[bytes]:
    """Return the previews and thumbnails in a folder that no content needs, and leftovers of killed processes.

    undoable: digests that an undo brings back.
    """
    matches = [match for match in map(_DERIVED_NAME.fullmatch, _names(folder)) if match is not None]
    digests = {match[0]: bytes.fromhex(match[1].decode("ascii")) for match in matches}
    needed = forget.known_digests(connection, sorted(set(digests.values()))) | undoable
    # A temporary file is a leftover of a killed process: the library is locked, so none is being written.
    return [os.path.join(folder, match[0]) for match in matches if match[2] or digests[match[0]] not in needed]


def _names(folder: bytes) -> list[bytes]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


__all__ = [
    "DerivedPruned",
    "ForgetPlan",
    "PruneRequest",
    "Pruned",
    "files_to_prune",
    "plan_prune",
    "prune",
    "prune_derived",
]
