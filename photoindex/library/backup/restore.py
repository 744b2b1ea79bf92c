"""Restores a library from a snapshot."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from photoindex.atomic_files import exchange, sync_folder
from photoindex.config.schema import Config
from photoindex.errors import SchemaTooNew, StorageFull, UsageError
from photoindex.library.backup.snapshots import (
    CONFIG_PART,
    DATABASE_PART,
    JOURNAL_PART,
    SnapshotManifest,
    check_database,
    extract,
    read_manifest,
)
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import DATABASE_NAME
from photoindex.library.location import check_location
from photoindex.library.lock import HOLDER_NAME, exclusive
from photoindex.paths import display
from photoindex.permissions import limited_to, publish_folder
from photoindex.pipeline.ingest import derived_files
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.engine import snapshot as database_file
from photoindex.store.schema.migrate import REVISIONS

RESTORED_CONFIG_NAME = "config.from-backup.toml"
DERIVED_FOLDER = "derived"
_LEFTOVER_SECONDS = 3600.0
_REPLACED = ".replaced-"
_PENDING_NAME = ".not-in-place"
"""In a restored library until it is at its place."""


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore and where.

    target: the new library's folder. replace: move an existing library aside.
    """

    snapshot: Path
    target: Path
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore.

    replaced: where the previous library was moved to. lost_derived: contents without previews; the next scan rebuilds
    them. config: the settings file from the snapshot, which is not used automatically.
    """

    library: Path
    counts: dict[str, int]
    created_at: str
    replaced: Path | None
    lost_derived: int
    config: Path | None


def restore(config: Config, request: RestoreRequest, events: EventSink = ignore_events) -> Restored:
    """Check the snapshot, write it to a temporary folder beside the target and rename that to the target.

    Nothing is changed before the rename, and an old library is swapped with the new one in one step where the system can
    do that; elsewhere the next command completes a swap that was killed half-way. Previews and thumbnails are not part of a snapshot: those of a replaced library are hard-linked into the
    new one, and contents without them are marked, so that the next scan rebuilds them. A snapshot with an older schema is
    upgraded when the library is opened.

    Raises SnapshotDamaged, SchemaTooNew, UsageError (the target is a library and `replace` is not set, or it is something
    else), LibraryLocked, UnsuitableLocation, StorageFull.
    """
    if config.database_file is not None:
        raise UsageError(
            f"DATABASE_URL sets the database to {_shown(config.database_file)}; unset it to restore a library"
        )
    manifest = read_manifest(request.snapshot)
    if manifest.revision not in REVISIONS:
        raise SchemaTooNew(
            f"{_shown(request.snapshot)} was made by a newer photoindex (schema {manifest.revision}); "
            f"install photoindex {manifest.program_version} or later"
        )
    # The folder itself, not a link to it: a rename must stay on one disk.
    target = Path(os.path.realpath(request.target.expanduser()))
    check_location(target)
    if request.replace and os.path.ismount(target):
        raise UsageError(
            f"{_shown(target)} is a mount point, which cannot be renamed; restore to a new folder with --library NEW"
        )
    with limited_to(config.permissions), disk_errors(f"restoring {_shown(target)}"), ExitStack() as stack:
        has_library = _is_library(target, replace=request.replace)
        if has_library:
            stack.enter_context(exclusive(target, "restore"))
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        folder = stack.enter_context(_new_folder_beside(target, manifest))
        has_config = _unpack(request.snapshot, manifest, folder, events)
        if has_library and config.derived_path is None:
            _link_derived(target / DERIVED_FOLDER, folder / DERIVED_FOLDER, events)
        lost = _mark_lost_derived(folder, config.derived_path, manifest, events)
        replaced = _put_in_place(folder, target, has_library=has_library)
    return Restored(
        library=target,
        counts=manifest.counts,
        created_at=manifest.created_at,
        replaced=replaced,
        lost_derived=lost,
        config=target / RESTORED_CONFIG_NAME if has_config else None,
    )


def _is_library(target: Path, *, replace: bool) -> bool:
    """Tell whether `target` holds a library; False if it is empty. Raises UsageError if it must not be touched."""
    try:
        names = os.listdir(target)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise UsageError(f"{_shown(target)} is a file; name a folder for the library") from None
    if not names:
        return False
    if DATABASE_NAME not in names:
        raise UsageError(
            f"{_shown(target)} is not empty and is not a library; choose another folder with --library NEW"
        )
    if not replace:
        raise UsageError(
            f"there is a library in {_shown(target)}; choose another folder, or move it aside with --replace "
            "(it is renamed, not deleted)"
        )
    return True


@contextmanager
def _new_folder_beside(target: Path, manifest: SnapshotManifest) -> Iterator[Path]:
    """Yield a temporary folder on the target's disk with room for the snapshot; it is removed afterwards unless renamed."""
    needed = sum(part.bytes for part in manifest.pieces)
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise StorageFull(
            f"restoring needs {needed / 1e6:,.0f} MB in {_shown(target.parent)}, but only {free / 1e6:,.0f} MB are free"
        )
    folder = Path(tempfile.mkdtemp(prefix=_temporary_prefix(target), dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _temporary_prefix(target: Path) -> str:
    return f".{target.name}.restoring-"


def _remove_leftovers(target: Path) -> None:
    """Remove leftovers of killed restores to the same target."""
    for name in os.listdir(target.parent):
        path = target.parent / name
        if name.startswith(_temporary_prefix(target)):
            with suppress(OSError):
                newest = max(os.stat(one).st_mtime for one in (path, *path.iterdir()))
                if newest < time.time() - _LEFTOVER_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)


def _unpack(snapshot: Path, manifest: SnapshotManifest, folder: Path, events: EventSink) -> bool:
    """Extract and check the parts of the snapshot into a library folder; return whether it has a settings file."""
    extract(snapshot, manifest, folder, events)
    check_database(snapshot, manifest, folder / DATABASE_PART, events)
    (folder / DATABASE_PART).rename(folder / DATABASE_NAME)
    # The database holds the journal; the part is for other programs.
    (folder / JOURNAL_PART).unlink(missing_ok=True)
    if manifest.part(CONFIG_PART) is None:
        return False
    (folder / CONFIG_PART).rename(folder / RESTORED_CONFIG_NAME)
    return True


def _link_derived(old: Path, new: Path, events: EventSink) -> None:
    """Hard-link the old library's derived files into the new one; safe because they are replaced, never modified."""
    if not old.is_dir():
        return
    started = time.monotonic()
    phase = "linking previews"
    events(PhaseStarted(phase, None))
    done = 0
    for parent, _, names in os.walk(old):
        copy = new / os.path.relpath(parent, old)
        copy.mkdir(parents=True, exist_ok=True)
        for name in names:
            try:
                os.link(os.path.join(parent, name), copy / name, follow_symlinks=False)
            except OSError as error:
                events(
                    Notice(
                        f"previews of the old library could not be reused: {error.strerror}; the next scan rebuilds them",
                        level="warning",
                    )
                )
                return
            done += 1
        events(PhaseAdvanced(phase, done))
    events(PhaseFinished(phase, done, time.monotonic() - started))


def _mark_lost_derived(folder: Path, elsewhere: Path | None, manifest: SnapshotManifest, events: EventSink) -> int:
    """Mark the contents without derived files; `elsewhere` is the folder of these if it is not in the library."""
    if elsewhere is not None and not elsewhere.is_dir():
        events(
            Notice(
                f"{_shown(elsewhere)} (DERIVED_PATH) does not exist, so missing previews could not be detected; "
                "mount it before the next command",
                level="warning",
            )
        )
        return 0
    derived_folder = elsewhere or folder / DERIVED_FOLDER
    started = time.monotonic()
    phase = "looking for previews"
    total = manifest.counts.get("assets")
    events(PhaseStarted(phase, total, unit="contents"))
    lost = database_file.forget_lost_derived(
        folder / DATABASE_NAME,
        lambda digest: derived_files.exist(derived_folder, digest),
        lambda done: events(PhaseAdvanced(phase, done)),
    )
    events(PhaseFinished(phase, total or 0, time.monotonic() - started))
    return lost


def _put_in_place(folder: Path, target: Path, *, has_library: bool) -> Path | None:
    publish_folder(folder)
    (folder / _PENDING_NAME).touch()
    sync_folder(folder)
    replaced = None
    if has_library:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        replaced = _free_name(target.with_name(f"{target.name}{_REPLACED}{stamp}"))
        _swap(folder, target, replaced)
        for name in (HOLDER_NAME, _PENDING_NAME):
            (replaced / name).unlink(missing_ok=True)
    else:
        folder.rename(target)
    (target / _PENDING_NAME).unlink(missing_ok=True)
    sync_folder(target.parent)
    return replaced


def _free_name(wanted: Path) -> Path:
    """Return `wanted`, with a number appended if a restore of the same second took it."""
    numbered = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return next(path for path in chain([wanted], numbered) if not os.path.lexists(path))


def _swap(folder: Path, target: Path, replaced: Path) -> None:
    """Put the new library in place of the old one, which gets the name `replaced`; in one step where the system can."""
    folder.rename(replaced)
    try:
        if exchange(replaced, target):
            return
    except OSError:
        replaced.rename(folder)
        raise
    replaced.rename(folder)
    target.rename(replaced)
    # Killed here, there is no library; `finish_interrupted` completes it.
    try:
        folder.rename(target)
    except OSError:
        replaced.rename(target)
        raise


def finish_interrupted(target: Path) -> Path | None:
    """Complete a restore that was killed when the old library was renamed and the new one was not yet in place.

    Return the folder of an old library that lies beside a missing `target`, None if there is none.
    """
    if target.exists() or not target.parent.is_dir():
        return None
    replaced = sorted(
        path
        for path in target.parent.glob(f"{glob.escape(target.name)}{_REPLACED}*")
        if _is_pending(path, expected=False)
    )
    ready = [
        path
        for path in target.parent.glob(f"{glob.escape(_temporary_prefix(target))}*")
        if _is_pending(path, expected=True)
    ]
    if replaced and len(ready) == 1:
        ready[0].rename(target)
        (target / _PENDING_NAME).unlink(missing_ok=True)
        sync_folder(target.parent)
    return replaced[-1] if replaced else None


def _is_pending(library: Path, *, expected: bool) -> bool:
    return (library / DATABASE_NAME).is_file() and (library / _PENDING_NAME).exists() == expected


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
