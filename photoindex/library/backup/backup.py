"""Writes a snapshot of a library while other commands run, and proves it before an older one goes."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from photoindex import __version__
from photoindex.atomic_files import sync_folder
from photoindex.config.load import config_file
from photoindex.errors import DatabaseFailed, SnapshotDamaged, StorageFull
from photoindex.file_access import from_root
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.backup.destination import is_destination, on_the_same_disk, open_destination
from photoindex.library.backup.notes import note_backup
from photoindex.library.backup.parts import SnapshotPart, chunks_of, write_part
from photoindex.library.backup.snapshots import (
    CONFIG_PART,
    DATABASE_PART,
    JOURNAL_PART,
    PREFIX,
    TEMPORARY_PREFIX,
    Snapshot,
    SnapshotManifest,
    SnapshotState,
    inspect_snapshot,
    list_snapshots,
    read_back,
    record_verification,
    write_manifest,
)
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.paths import display, shell_word
from photoindex.progress import EventSink, Notice, ignore_events
from photoindex.store.engine import snapshot as database_file
from photoindex.store.schema import migrate

BACKUP_LOCK_NAME = "backup.lock"
_STAGING_PREFIX = ".backup-"
_SAME_DISK = "{} is on the disk of the library itself; a snapshot on another disk outlives that one"
_LEFTOVER_SECONDS = 3600.0
"""A temporary folder that was not written to for this long belongs to a killed backup."""


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """Where to write the snapshot, and how many snapshots of this library to keep there (None: as configured).

    initialise: make the destination if it is none yet.
    """

    destination: Path
    keep: int | None = None
    initialise: bool = False


@dataclass(frozen=True, slots=True)
class Backup:
    """The new snapshot, and the older ones that were removed."""

    snapshot: Snapshot
    removed: tuple[Path, ...]


def backup(library: Library, request: BackupRequest, events: EventSink = ignore_events) -> Backup:
    """Write a snapshot of the library to the destination, prove it, and only then remove the oldest ones.

    The database is first copied to the library's disk, because the destination may be a network share, where SQLite cannot
    lock; the copy has to pass SQLite's integrity check. Then the parts are compressed into the destination under a
    temporary name, read back and compared with their digests, and the folder is renamed. Other commands may read and write
    the library meanwhile. Only complete snapshots of this library count towards `keep` and are removed; damaged ones and
    those of other libraries are left alone.

    Raises DatabaseFailed (the library is damaged), SnapshotDamaged (the destination does not give back what was written),
    StorageFull, LibraryLocked (another backup of this library is running), UsageError (the destination is none). All
    earlier snapshots are kept then.
    """
    destination = from_root(request.destination)
    with (
        disk_errors(f"the backup to {display(os.fsencode(destination))}"),
        open_log(library.folder, library.config.log) as log,
        # A library on a disk that became read-only is backed up too; another backup of it does no harm.
        nullcontext() if library.unwritable else exclusive(library.folder, "backup", name=BACKUP_LOCK_NAME),
    ):
        events = both(events, log_events(log, "backup"))
        open_destination(destination, migrate.library_id(library.database), initialise=request.initialise)
        if on_the_same_disk(destination, library.folder):
            # A warning once: cron mails each, every night.
            level = "warning" if request.initialise else "info"
            events(Notice(_SAME_DISK.format(display(os.fsencode(destination))), level=level))
        made, removed = _make(library, destination, request.keep, events)
        note_backup(library, destination, made.path)
        log.info("backed up", extra={"action": "backup", "path": os.fsencode(made.path), "bytes": made.bytes})
    return Backup(made, removed)


def back_up_before_upgrade(library: Library, folder: Path, events: EventSink) -> None:
    """Write a snapshot into the library's own `folder`. Raises like `backup`."""
    with (
        disk_errors(f"the backup to {display(os.fsencode(folder))}"),
        exclusive(library.folder, "backup", name=BACKUP_LOCK_NAME),
    ):
        folder.mkdir(exist_ok=True)
        _make(library, folder, None, events)


def needs_initialising(library: Library, destination: Path) -> bool:
    """Tell whether `backup` would refuse the destination without `initialise`."""
    return not is_destination(from_root(destination), migrate.library_id(library.database))


def _make(
    library: Library, destination: Path, keep: int | None, events: EventSink
) -> tuple[Snapshot, tuple[Path, ...]]:
    with _staged_database(library, events) as staged:
        _check(staged, destination, library, events)
        contents = database_file.contents_of(staged)
        _remove_leftovers(destination, _short(contents.library_id))
        _require_space(destination, _expected_bytes(destination, staged, contents.library_id))
        path = _write_snapshot(destination, staged, contents, events)
    kept = library.config.backup.keep if keep is None else keep
    return inspect_snapshot(path), _remove_oldest(destination, contents.library_id, kept, made=path)


def _check(staged: Path, destination: Path, library: Library, events: EventSink) -> None:
    with ByteProgress(events, "checking the database", None) as progress:
        problems = database_file.problems_of(staged)
        progress.advance(os.stat(staged).st_size)
    if problems:
        raise DatabaseFailed(
            f"{display(os.fsencode(library.database.path))} is damaged: {problems[0]}. No snapshot was made, and all "
            f"earlier ones are kept. To go back to one: photoindex backup list {shell_word(os.fsencode(destination))}, then "
            f"photoindex restore SNAPSHOT --library {shell_word(os.fsencode(library.folder))} --replace"
        )


@contextmanager
def _staged_database(library: Library, events: EventSink) -> Iterator[Path]:
    """Yield a consistent copy of the database in a temporary folder, on the library's disk if that can be written."""
    disk = Path(tempfile.gettempdir()) if library.unwritable else library.folder
    for leftover in library.folder.glob(f"{_STAGING_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    database = library.database
    size = database.engine.size_bytes(database.address)
    _require_space(disk, size)
    with tempfile.TemporaryDirectory(prefix=_STAGING_PREFIX, dir=disk) as folder:
        staged = Path(folder) / DATABASE_PART
        with ByteProgress(events, "copying the database", size) as progress:
            database.engine.copy(
                database.address, staged, lambda done, total: progress.advance(done * size // max(total, 1))
            )
        yield staged


def _write_snapshot(destination: Path, staged: Path, contents: database_file.Contents, events: EventSink) -> Path:
    now = time.time()
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    building = destination / f"{TEMPORARY_PREFIX}{stamp}-{_short(contents.library_id)}-{os.getpid()}"
    building.mkdir()
    try:
        manifest = SnapshotManifest(
            program_version=__version__,
            created_at=datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            library_id=contents.library_id,
            revision=contents.revision,
            counts=contents.counts,
            pieces=tuple(_write_parts(building, staged, events)),
        )
        write_manifest(building, manifest)
        sync_folder(building)
        _prove(building, manifest, events)
        path = _rename_to_free_name(building, destination / f"{PREFIX}{stamp}")
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    sync_folder(destination)
    return path


def _prove(building: Path, manifest: SnapshotManifest, events: EventSink) -> None:
    """Read the snapshot back from the disk and record that it is intact. Raises SnapshotDamaged."""
    try:
        read_back(building, manifest, events)
    except SnapshotDamaged as error:
        raise SnapshotDamaged(
            f"{display(os.fsencode(building.parent))} did not give back what was written ({error}). The new snapshot was "
            "removed, and all earlier ones are kept; check that disk"
        ) from error
    record_verification(building, manifest)
    sync_folder(building)


def _write_parts(folder: Path, staged: Path, events: EventSink) -> Iterator[SnapshotPart]:
    with ByteProgress(events, "compressing", os.stat(staged).st_size) as progress:
        yield write_part(folder, DATABASE_PART, chunks_of(staged), progress.advance)
        progress.next_part()
        yield write_part(folder, JOURNAL_PART, database_file.journal_lines(staged), progress.advance)
        progress.next_part()
        settings = config_file()
        try:
            content = settings.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            reason = f"{display(os.fsencode(settings))} is not in the snapshot: {error.strerror}"
            events(Notice(reason, level="warning"))
            return
        yield write_part(folder, CONFIG_PART, [content], progress.advance)


def _rename_to_free_name(building: Path, wanted: Path) -> Path:
    """Rename to `wanted`, with a number appended if another library's snapshot of the same second has that name."""
    number = 1
    while True:
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            building.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            number += 1
        else:
            return path


def _remove_oldest(destination: Path, library_id: str, keep: int, *, made: Path) -> tuple[Path, ...]:
    """Remove all but `keep` snapshots of this library; the new one stays even if the clock was set back."""
    own = [
        one
        for one in list_snapshots(destination)
        if one.path != made
        and one.state is SnapshotState.COMPLETE
        and one.manifest is not None
        and one.manifest.library_id == library_id
    ]
    removed = []
    for one in own[keep - 1 :]:
        # Rename first, so that a partly removed snapshot does not look damaged.
        going = destination / f"{TEMPORARY_PREFIX}removed-{_short(library_id)}-{os.getpid()}-{one.path.name}"
        one.path.rename(going)
        shutil.rmtree(going, ignore_errors=True)
        removed.append(one.path)
    return tuple(removed)


def _remove_leftovers(destination: Path, short_id: str) -> None:
    """Remove leftovers of killed backups of this library; those of others may still be running on another host."""
    for path in destination.glob(f"{TEMPORARY_PREFIX}*-{short_id}-*"):
        with suppress(OSError):
            newest = max(os.stat(one).st_mtime for one in (path, *path.iterdir()))
            if newest < time.time() - _LEFTOVER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def _expected_bytes(destination: Path, staged: Path, library_id: str) -> int:
    """Return the estimated size of the snapshot: by the newest one's compression ratio plus 20 %, else uncompressed."""
    size = os.stat(staged).st_size
    for one in list_snapshots(destination):
        part = one.manifest.part(DATABASE_PART) if one.manifest is not None else None
        if part is not None and one.manifest is not None and one.manifest.library_id == library_id and part.bytes:
            return min(size, int(1.2 * size * part.compressed_bytes / part.bytes))
    return size


def _require_space(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise StorageFull(
            f"the backup needs about {needed_bytes / 1e6:,.0f} MB in {display(os.fsencode(folder))}, but only "
            f"{free / 1e6:,.0f} MB are free; no snapshot was made"
        )


def _short(library_id: str) -> str:
    """Return the part of a library's id that is used in the names of temporary folders."""
    return "".join(letter for letter in library_id if letter.isalnum())[:8]
