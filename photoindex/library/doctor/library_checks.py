"""Checks of an open library: space, permissions, locks, models, index, retries, proofs of originals, backups."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from photoindex import file_access
from photoindex.errors import ModelUnavailable, PhotoIndexError
from photoindex.library.backup.notes import backup_notes
from photoindex.library.backup.snapshots import SnapshotState, inspect_snapshot
from photoindex.library.doctor.examination import Finding, fail, ok, size, warn
from photoindex.library.embed.model_choice import install_command
from photoindex.library.handle import Library
from photoindex.library.index.status import IndexState, index_status
from photoindex.library.lock import is_held, read_holder
from photoindex.library.maintenance.status import open_folders
from photoindex.library.originals.path_lookup import volumes_now
from photoindex.library.timestamps import local_time
from photoindex.models.weights import ModelStore
from photoindex.paths import display, shell_word
from photoindex.store.night import proofs, rates
from photoindex.store.photos.counts import root_scans
from photoindex.store.vectors import spaces

ORIGINALS_FREE_SHARE = 0.30
LIBRARY_FREE_SHARE, LIBRARY_FREE_LEAST = 0.10, 1_000_000_000
RETRY_SHARE = 0.005
BACKUP_DAYS = 7
PROOF_DAYS = 180
HELD_HOURS = 24
CLOCK_SECONDS = 300.0
DAY_SECONDS = 86_400.0


def free_space(library: Library) -> Iterator[Finding]:
    """Compare the free space of the library's disk and of the volumes of originals with what should be free."""
    usage = shutil.disk_usage(library.folder)
    text = f"{size(usage.free)} of {size(usage.total)} free on the disk of the library"
    if usage.free < LIBRARY_FREE_LEAST:
        yield fail(text, "free some space; nothing can be indexed without")
    elif usage.free < LIBRARY_FREE_SHARE * usage.total:
        yield warn(text, "free some space, or move the library")
    else:
        yield ok(text)
    with library.database.read() as connection:
        volumes = volumes_now(connection)
    for one in volumes.values():
        if one.mounted_at is None:
            yield ok(f"{one.row.label} is not mounted; its space was not looked at")
            continue
        usage = shutil.disk_usage(one.mounted_at)
        text = f"{size(usage.free)} of {size(usage.total)} free on {one.row.label}, which holds originals"
        if usage.free < ORIGINALS_FREE_SHARE * usage.total:
            yield warn(f"{text}: under {ORIGINALS_FREE_SHARE:.0%}", "plan for a larger volume")
        else:
            yield ok(text)


def permissions(library: Library) -> Iterator[Finding]:
    """Check that the library can be written and is closed to others, and that originals can be read."""
    if library.unwritable:
        yield fail(library.unwritable, "make the library writable; until then commands only read")
    for folder, mode in open_folders(library):
        yield warn(f"others may read {folder}", f"chmod {mode} {shell_word(os.fsencode(folder))}")
    with library.database.read() as connection:
        roots = [one.path for one in root_scans(connection)]
    for root in roots:
        if file_access.exists(root) and not file_access.is_allowed(root, os.R_OK | os.X_OK):
            yield fail(f"{display(root)} cannot be read", "give yourself the right to read it")
    if not library.unwritable and not open_folders(library):
        yield ok("the library is writable, and closed to others as the settings say")


def clock(library: Library) -> Iterator[Finding]:
    """Compare the clock with the newest time in the library."""
    with library.database.read() as connection:
        newest = rates.newest_change(connection)
    ahead = 0.0 if newest is None else newest - time.time()
    if ahead > CLOCK_SECONDS:
        yield warn(
            f"the library was changed {ahead / 3600:.1f} h in the future", "set the clock; see also: timedatectl"
        )
    else:
        yield ok("nothing in the library is newer than the clock")


def locks(library: Library) -> Iterator[Finding]:
    """Name commands that hold a lock of the library."""
    held = [path for path in sorted(library.folder.glob("*.lock")) if is_held(path)]
    for path in held:
        holder = read_holder(path)
        if holder is None:
            continue
        text = f"`{holder.command}` (process {holder.pid}) holds {path.name} since {local_time(holder.since)}"
        if time.time() - holder.since > HELD_HOURS * 3600:
            yield warn(text, f"look whether it still works: ps {holder.pid}")
        else:
            yield ok(text)
    if not held:
        yield ok("no command is changing the library")


def models(library: Library) -> Iterator[Finding]:
    """Check that installed models are whole, and that the model of the space in use is there."""
    try:
        installed = {one.id: one for one in ModelStore(library.models_folder).installed()}
    except ModelUnavailable as error:
        yield fail(str(error), "")
        return
    broken = [one for one in installed.values() if not one.has_all_sizes()]
    for one in broken:
        yield fail(f"files of the model '{one.id}' are missing or cut", install_command(library, one.id))
    with library.database.read() as connection:
        space = spaces.active_space(connection)
    if space is not None and space.model not in installed:
        text = f"the model '{space.model}' of the space in use is not installed: no search by meaning"
        yield fail(text, install_command(library, space.model))
    elif not installed:
        yield warn("no model is installed: no search by meaning", "photoindex models pull clip-vit-b-32")
    elif not broken:
        yield ok(f"{len(installed)} installed, with all their files")


def index(library: Library) -> Iterator[Finding]:
    """Check the vector index of each space."""
    found = list(index_status(library))
    for one in found:
        if one.problem is not None:
            text = f"the index of space '{one.space.name}' is damaged: {one.problem}; searches read the database"
            yield warn(text, "photoindex index rebuild")
        elif one.state is IndexState.MERGE_DUE:
            yield warn(
                f"{one.unmerged:,} vectors of space '{one.space.name}' are not merged: slower searches",
                "photoindex index optimize",
            )
        else:
            yield ok(f"{one.vectors:,} vectors of space '{one.space.name}', {size(one.size_bytes)}")
    if not found:
        yield ok("nothing is embedded yet")


def retries(library: Library) -> Iterator[Finding]:
    """Compare the share of tasks that had to be tried again with what is usual."""
    with library.database.read() as connection:
        measured = rates.stage_rates(connection)
    subjects, retried = sum(one.subjects for one in measured), sum(one.retried for one in measured)
    if not subjects:
        yield ok("no work was measured yet")
        return
    text = f"{retried:,} of {subjects:,} tasks ({retried / subjects:.2%}) were tried again"
    if retried > RETRY_SHARE * subjects:
        yield warn(f"{text}, over {RETRY_SHARE:.1%}", "see why: photoindex tasks --state failed")
    else:
        yield ok(text)


def originals(library: Library) -> Iterator[Finding]:
    """Say which part of the originals was proved good, and whether damage is known."""
    with library.database.read() as connection:
        coverage, troubles = proofs.coverage(connection), proofs.troubles(connection)
    if troubles:
        first = display(troubles[0].path)
        yield fail(
            f"{len(troubles):,} damaged or unreadable when read last, among them {first}",
            "photoindex verify --originals PATH",
        )
    if not coverage.files:
        yield ok("the library has no originals yet")
        return
    text = f"{coverage.proved:,} of {coverage.files:,} proved good"
    oldest = coverage.oldest_at
    if coverage.proved < coverage.files or oldest is None:
        yield warn(text, "photoindex verify --originals")
    elif time.time() - oldest > PROOF_DAYS * DAY_SECONDS:
        yield warn(
            f"{text}, the oldest proof of {local_time(oldest)}",
            f"photoindex verify --originals --older-than {PROOF_DAYS}d",
        )
    else:
        yield ok(f"{text}, the oldest proof of {local_time(oldest)}")


def backups(library: Library) -> Iterator[Finding]:
    """Check that there is a snapshot, not too old, and proved where it can be reached."""
    notes = backup_notes(library)
    if not notes:
        yield warn("this library was never backed up, or by an earlier version", "photoindex backup DEST --init")
        return
    newest = notes[0]
    where = shell_word(os.fsencode(newest.destination))
    days = (time.time() - newest.at) / DAY_SECONDS
    text = f"the newest snapshot is of {local_time(newest.at)}, in {newest.destination}"
    if not newest.snapshot.exists():
        away = f"mount its disk; see: photoindex backup list {where}"
        problem: Finding | None = warn(f"{text}, which is not there now", away)
    else:
        problem = _problem_of_snapshot(newest.snapshot, text)
    if problem is not None:
        yield problem
    if days > BACKUP_DAYS:
        yield warn(f"{text}: {days:.0f} days ago", f"photoindex backup {where}")
    elif problem is None:
        yield ok(text)


def _problem_of_snapshot(path: Path, text: str) -> Finding | None:
    verify = f"photoindex backup verify {shell_word(os.fsencode(path))}"
    try:
        found = inspect_snapshot(path)
    except (OSError, PhotoIndexError) as error:
        return fail(f"{text}: {error}", verify)
    if found.state is not SnapshotState.COMPLETE:
        return fail(f"{text}, is {found.state}: {found.problem}", verify)
    return warn(f"{text}, was never proved", verify) if found.verified_at is None else None
