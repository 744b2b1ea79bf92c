"""Explains why a file is, or is not, in the library."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection

from photoindex import file_access
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, find_file, folders_at, spellings, volumes_now
from photoindex.library.originals.roots import KnownRoot, Roots
from photoindex.library.photos.show import file_as_json, task_as_json
from photoindex.library.timestamps import local_time
from photoindex.paths import display, is_within, shell_word, to_text
from photoindex.pipeline.scan.exclusion import reason_for
from photoindex.stages.ingest import SIDECARS
from photoindex.store.files.locations import files_below
from photoindex.store.photos.details import FileRecord, file_by_id
from photoindex.store.photos.sidecars import names_of
from photoindex.store.tasks.admin import TaskRow, tasks_of
from photoindex.types import SidecarKind


class Answer(StrEnum):
    """The status of a file, in one word."""

    OUTSIDE = "outside"
    ABSENT = "absent"
    UNSCANNED = "unscanned"
    EXCLUDED = "excluded"
    FOLDER = "folder"
    MISSING = "missing"
    NOT_MEDIA = "not_media"
    SIDECAR = "sidecar"
    QUARANTINED = "quarantined"
    DISMISSED = "dismissed"
    FAILED = "failed"
    WAITING = "waiting"
    DONE = "done"


_OWNERS_SHOWN = 5
_OF_ALBUMS = (SIDECARS[SidecarKind.TAKEOUT_ALBUM], SIDECARS[SidecarKind.APPLE_ALBUM])
NOT_SEEN = frozenset({Answer.OUTSIDE, Answer.ABSENT, Answer.UNSCANNED})
"""The answers for a file that no scan has seen."""


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """The answer for one path: a sentence that says why, and a command to change it, if there is one."""

    path: bytes
    answer: Answer
    because: str
    remedy: str | None = None
    file: FileRecord | None = None
    online: bool | None = None
    task: TaskRow | None = None

    @property
    def seen(self) -> bool:
        """Whether a scan has seen the path."""
        return self.answer not in NOT_SEEN


def why(library: Library, paths: Sequence[bytes]) -> Iterator[PathVerdict]:
    """Yield the answer for each path (relative or absolute, through symbolic links)."""
    with library.database.read() as connection:
        volumes = volumes_now(connection)
        for path in paths:
            file_id = find_file(connection, path)
            if file_id is None:
                yield _about_unknown(library, connection, volumes, path)
            else:
                row = file_by_id(connection, file_id)
                ingest = [one for one in tasks_of(connection, file_ids=[row.id], asset_ids=[]) if one.stage == "ingest"]
                verdict = _about_file(library, row, ingest[-1] if ingest else None)
                if verdict.answer is Answer.DONE and row.asset_id is not None:
                    verdict = _with_embedding(verdict, tasks_of(connection, file_ids=[], asset_ids=[row.asset_id]))
                if verdict.answer is Answer.NOT_MEDIA and (owners := names_of(connection, row.id)) is not None:
                    verdict = _about_sidecar(verdict, owners)
                yield _with_present_state(replace(verdict, path=path), volumes[row.volume_id])


def _about_file(library: Library, row: FileRecord, task: TaskRow | None) -> PathVerdict:
    verdict = _VerdictMaker(row, task)
    scan = f"photoindex scan {shell_word(row.path)}"
    if row.state == "missing":
        since = local_time(row.missing_since)
        remedy = f"restore it and run: photoindex scan; or remove it from the library: photoindex prune {shell_word(row.path)}"
        return verdict(Answer.MISSING, f"it has been missing since {since}; its data is kept", remedy)
    if row.state == "excluded":
        spelled, root = _root_of(library, row.path)
        rule = (root and rule_excluding(library, spelled, root)) or "a rule that no longer applies"
        return verdict(Answer.EXCLUDED, f"it was ingested before and is now excluded by {rule}", None)
    if row.media is False and (task is None or task.state == "done"):
        return verdict(Answer.NOT_MEDIA, f"it is not a photo or video: {row.reason or 'by its content'}", None)
    if task is None:
        return verdict(Answer.WAITING, "a scan has seen it, but not read it yet", scan)
    return _about_task(verdict, row, task)


def _with_embedding(verdict: PathVerdict, tasks: Sequence[TaskRow]) -> PathVerdict:
    """Add why an ingested photo is not found by semantic search."""
    task = next((one for one in tasks if one.stage == "embed" and one.state in ("quarantined", "failed")), None)
    if task is None:
        return verdict
    because = f"{verdict.because}; but semantic search does not find it: embedding failed after {_times(task)}: {_error(task)}"
    remedy = f"photoindex retry --stage embed {shell_word(verdict.path)}, then: photoindex embed"
    return replace(verdict, because=because, remedy=remedy)


def _about_sidecar(verdict: PathVerdict, owners: list[tuple[bytes, str]]) -> PathVerdict:
    assert verdict.file is not None
    what = verdict.file.reason or "a sidecar"
    if what in _OF_ALBUMS:
        because = f"it is {what} and was read; see: photoindex album list"
    elif not owners:
        because = f"it is {what} and was read, but no photo next to it has a matching name"
    else:
        named = [f"{display(name)} ({why})" for name, why in owners[:_OWNERS_SHOWN]]
        if len(owners) > _OWNERS_SHOWN:
            named.append(f"{len(owners) - _OWNERS_SHOWN} more")
        because = f"it is {what} and belongs to {' and '.join(named)}"
    return replace(verdict, answer=Answer.SIDECAR, because=because)


def _about_task(verdict: _VerdictMaker, row: FileRecord, task: TaskRow) -> PathVerdict:
    scan = f"photoindex scan {shell_word(row.path)}"
    if task.state == "quarantined":
        return _about_quarantined(verdict, row, task)
    if task.state == "failed":
        because = f"reading it failed {_times(task)}, last at {local_time(task.updated_at)}: {_error(task)}"
        return verdict(Answer.FAILED, because, f"the next scan retries it: {scan}")
    if task.state == "done":
        ingested = f"it was ingested at {local_time(task.updated_at)} as photo {row.photo_id}"
        return verdict(
            Answer.DONE,
            f"{ingested}, beside its primary file: {row.pair_reason}" if row.pair_reason else ingested,
            None,
        )
    word = "it is being read now" if task.state == "running" else "a scan has seen it, but not read it yet"
    return verdict(Answer.WAITING, word, scan if task.state == "pending" else None)


def _about_quarantined(verdict: _VerdictMaker, row: FileRecord, task: TaskRow) -> PathVerdict:
    since = f"after {_times(task)}, since {local_time(task.updated_at)}: {_error(task)}"
    if task.dismissed_at is not None:
        because = f"it could not be ingested {since}; it was dismissed at {local_time(task.dismissed_at)}"
        return verdict(Answer.DISMISSED, because, f"to retry: photoindex retry {shell_word(row.path)}")
    remedy = (
        f"it is retried when the file changes, or with: photoindex retry {shell_word(row.path)}; "
        f"to ignore it: photoindex retry --dismiss {shell_word(row.path)}"
    )
    return verdict(Answer.QUARANTINED, f"it could not be ingested {since}", remedy)


@dataclass(frozen=True, slots=True)
class _VerdictMaker:
    """Creates verdicts about one file."""

    row: FileRecord
    task: TaskRow | None

    def __call__(self, answer: Answer, because: str, remedy: str | None) -> PathVerdict:
        return PathVerdict(self.row.path, answer, because, remedy, file=self.row, task=self.task)


def _with_present_state(verdict: PathVerdict, volume: KnownVolume) -> PathVerdict:
    """Add the current state on disk: an offline volume, a file that changed or was removed since the last scan."""
    found = replace(verdict, online=volume.online)
    if not volume.online:
        return replace(found, because=f"{found.because}; its volume {volume.row.label} is not mounted now")
    difference = _difference(found)
    if difference is None:
        return found
    return replace(
        found, because=f"{found.because}; {difference}", remedy=f"photoindex scan {shell_word(verdict.path)}"
    )


def _difference(verdict: PathVerdict) -> str | None:
    row = verdict.file
    if row is None or row.state != "present":
        return None
    try:
        now = file_access.status(verdict.path)
    except FileNotFoundError:
        return "it was removed since the last scan"
    except OSError:
        return None
    same = (now.st_size, now.st_mtime_ns) == (row.size_bytes, row.mtime_ns)
    return None if same else "it has changed since the last scan"


def _closed_folder(path: bytes) -> bytes | None:
    """Return the innermost existing folder above `path` if it may not be entered, else None."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if file_access.is_folder(folder):
            return None if file_access.is_allowed(folder, os.X_OK) else folder
        folder = os.path.dirname(folder)
    return None


def _about_unknown(
    library: Library, connection: Connection, volumes: dict[int, KnownVolume], path: bytes
) -> PathVerdict:
    spelled, root = _root_of(library, path)
    scan = f"photoindex scan {shell_word(path)}"
    if not file_access.exists(file_access.as_on_disk(path)):
        because = "there is nothing at this path, and no scan has ever seen it"
        if root is not None and not volumes[root.volume.id].online:
            because = f"no scan has ever seen it, and its volume {root.volume.label} is not mounted now"
        closed = _closed_folder(spelled)
        if closed is not None:
            because = f"there is no permission to enter the folder {display(closed)}, so no scan has seen its contents"
        return PathVerdict(path, Answer.ABSENT, because)
    if root is None:
        return PathVerdict(path, Answer.OUTSIDE, "it is outside all scanned folders", scan)
    rule = rule_excluding(library, spelled, root)
    if rule is not None:
        return PathVerdict(path, Answer.EXCLUDED, f"it is excluded by {rule}")
    below = f"the scanned folder {display(root.path)}"
    last = (
        "which was never completely scanned"
        if root.row.scanned_at is None
        else f"last scanned at {local_time(root.row.scanned_at)}"
    )
    problem = _unreadable(spelled)
    if problem is not None:
        return PathVerdict(path, Answer.UNSCANNED, f"it is below {below}, but {problem}", None)
    if file_access.is_folder(spelled):
        folders = folders_at(connection, path, [one.row for one in volumes.values()])
        known = sum(files_below(connection, location) for location in folders)
        what = "is" if spelled == root.path else "is below"
        return PathVerdict(path, Answer.FOLDER, f"it {what} {below}, {last}; the library has {known} files in it", scan)
    return PathVerdict(path, Answer.UNSCANNED, f"it is below {below}, {last}, but no scan has seen it yet", scan)


def _unreadable(path: bytes) -> str | None:
    try:
        mode = file_access.status(path).st_mode
    except OSError as error:
        return f"it cannot be accessed ({error.strerror})"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "it is not a regular file"
    folder = path if stat.S_ISDIR(mode) else os.path.dirname(path)
    if not file_access.is_allowed(folder, os.R_OK | os.X_OK):
        return f"the folder {display(folder)} cannot be read; change its permissions"
    return None


def _root_of(library: Library, path: bytes) -> tuple[bytes, KnownRoot | None]:
    """Return the spelling of `path` that is in a root, and that root."""
    roots = Roots(library.database)
    # What is on disk comes before what is not: of a path that is composed otherwise there, the written one is not.
    for spelled in sorted(spellings(path), key=lambda one: not file_access.exists(one)):
        root = roots.containing(spelled)
        if root is not None:
            return spelled, root
    return path, None


def rule_excluding(library: Library, spelled: bytes, root: KnownRoot) -> str | None:
    """Return which rule excludes an absolute path below a root, None if none does."""
    for own in (library.folder, library.derived_folder):
        if is_within(spelled, os.path.realpath(os.fsencode(own))):
            return f"photoindex: {own} is its own folder"
    patterns = (*library.config.scan.exclude, *root.row.excludes)
    return reason_for(spelled, root=root.path, patterns=patterns, follow_symlinks=root.row.follow_symlinks)


def _times(task: TaskRow) -> str:
    return "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"


def _error(task: TaskRow) -> str:
    return f"{task.error_class or 'unknown'}: {task.error or 'no message'}"


def as_json(verdict: PathVerdict) -> dict[str, object]:
    """Return the documented JSON object of one answer."""
    row = verdict.file
    return {
        "schema": 1,
        "path": to_text(verdict.path),
        "seen": verdict.seen,
        "answer": str(verdict.answer),
        "because": verdict.because,
        "remedy": verdict.remedy,
        "photo": None if row is None else row.photo_id,
        "file": None if row is None else file_as_json(row, online=bool(verdict.online)),
        "task": None if verdict.task is None else task_as_json(verdict.task),
    }
