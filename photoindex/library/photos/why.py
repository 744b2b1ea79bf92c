"""Why a file is in the library or is not: one clear answer."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from shlex import quote

from sqlalchemy import Connection

from photoindex.library.timestamps import local_time
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, find_file, places_of, spellings, volumes_now
from photoindex.library.originals.roots import KnownRoot, Roots
from photoindex.library.photos.show import file_as_json, task_as_json
from photoindex.paths import display, is_within, to_text
from photoindex.pipeline.scan.exclusion import reason_for
from photoindex.store.files.locations import files_below
from photoindex.store.photos.details import FileRecord, file_by_id
from photoindex.store.photos.sidecars import names_of
from photoindex.store.tasks.admin import TaskRow, tasks_of


class Answer(StrEnum):
    """What became of a file, in one word."""

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


NOT_SEEN = frozenset({Answer.OUTSIDE, Answer.ABSENT, Answer.UNSCANNED})
"""The answers for a file that no scan has looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one path: a sentence that says why, and the command that changes it where there is one."""

    path: bytes
    answer: Answer
    because: str
    remedy: str | None = None
    file: FileRecord | None = None
    online: bool | None = None
    task: TaskRow | None = None

    @property
    def seen(self) -> bool:
        """Whether the library has an answer of its own, other than never having met the path."""
        return self.answer not in NOT_SEEN


def why(library: Library, paths: Sequence[bytes]) -> Iterator[Verdict]:
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


def _about_file(library: Library, row: FileRecord, task: TaskRow | None) -> Verdict:
    say = _Speaker(row, task)
    scan = f"photoindex scan {_shown(row.path)}"
    if row.state == "missing":
        since = local_time(row.missing_since)
        remedy = f"bring it back and run: photoindex scan; or forget it: photoindex prune {_shown(row.path)}"
        return say(Answer.MISSING, f"it is missing since {since}; everything known of it is kept", remedy)
    if row.state == "excluded":
        spelled, root = _root_of(library, row.path)
        rule = (root and _rule(library, spelled, root)) or "a rule that is not in force any more"
        return say(Answer.EXCLUDED, f"it was taken in once and is left out now by {rule}", None)
    if row.media is False and (task is None or task.state == "done"):
        return say(Answer.NOT_MEDIA, f"it is not a photo or video: {row.reason or 'its content says so'}", None)
    if task is None:
        return say(Answer.WAITING, "it was seen and waits to be read", scan)
    return _about_task(say, row, task)


def _with_embedding(verdict: Verdict, tasks: Sequence[TaskRow]) -> Verdict:
    """Add what keeps a photo that was taken in from being found by what is in it."""
    task = next((one for one in tasks if one.stage == "embed" and one.state in ("quarantined", "failed")), None)
    if task is None:
        return verdict
    because = f"{verdict.because}; but search by meaning does not find it: embedding failed after {_times(task)}: {_error(task)}"
    remedy = f"photoindex retry --stage embed {_shown(verdict.path)}, then: photoindex embed"
    return replace(verdict, because=because, remedy=remedy)


def _about_sidecar(verdict: Verdict, owners: list[tuple[bytes, str]]) -> Verdict:
    assert verdict.file is not None
    what = verdict.file.reason or "a sidecar"
    if not owners:
        because = f"it is {what}, read, but no photo beside it has a name that it belongs to"
    else:
        because = f"it is {what} and belongs to {' and '.join(f'{display(name)} ({why})' for name, why in owners)}"
    return replace(verdict, answer=Answer.SIDECAR, because=because)


def _about_task(say: _Speaker, row: FileRecord, task: TaskRow) -> Verdict:
    scan = f"photoindex scan {_shown(row.path)}"
    if task.state == "quarantined":
        return _about_quarantined(say, row, task)
    if task.state == "failed":
        because = f"reading it failed {_times(task)}, last at {local_time(task.updated_at)}: {_error(task)}"
        return say(Answer.FAILED, because, f"the next scan tries again: {scan}")
    if task.state == "done":
        return say(Answer.DONE, f"it was taken in at {local_time(task.updated_at)} as photo {row.photo_id}", None)
    word = "is being read now" if task.state == "running" else "waits to be read"
    return say(Answer.WAITING, f"it was seen and {word}", scan if task.state == "pending" else None)


def _about_quarantined(say: _Speaker, row: FileRecord, task: TaskRow) -> Verdict:
    since = f"after {_times(task)}, since {local_time(task.updated_at)}: {_error(task)}"
    if task.dismissed_at is not None:
        because = f"it could not be taken in {since}; it was dismissed at {local_time(task.dismissed_at)}"
        return say(Answer.DISMISSED, because, f"to try it again: photoindex retry {_shown(row.path)}")
    remedy = (
        f"it is tried again when the file changes, or by: photoindex retry {_shown(row.path)}; "
        f"to leave it so: photoindex retry --dismiss {_shown(row.path)}"
    )
    return say(Answer.QUARANTINED, f"it could not be taken in {since}", remedy)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Makes verdicts about one file."""

    row: FileRecord
    task: TaskRow | None

    def __call__(self, answer: Answer, because: str, remedy: str | None) -> Verdict:
        return Verdict(self.row.path, answer, because, remedy, file=self.row, task=self.task)


def _with_present_state(verdict: Verdict, volume: KnownVolume) -> Verdict:
    """Add what the disk shows now: an offline volume, a file that changed or went since the last scan."""
    found = replace(verdict, online=volume.online)
    if not volume.online:
        return replace(found, because=f"{found.because}; its volume {volume.row.label} is not mounted now")
    difference = _difference(found)
    if difference is None:
        return found
    return replace(found, because=f"{found.because}; {difference}", remedy=f"photoindex scan {_shown(verdict.path)}")


def _difference(verdict: Verdict) -> str | None:
    row = verdict.file
    if row is None or row.state != "present":
        return None
    try:
        now = os.stat(verdict.path)
    except FileNotFoundError:
        return "it is gone since the last scan"
    except OSError:
        return None
    same = (now.st_size, now.st_mtime_ns) == (row.size_bytes, row.mtime_ns)
    return None if same else "it has changed since the last scan"


def _closed_folder(path: bytes) -> bytes | None:
    """Return the folder on the way to `path` that hides what is below it, None where there is none."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if os.path.isdir(folder):
            return None if os.access(folder, os.X_OK) else folder
        folder = os.path.dirname(folder)
    return None


def _about_unknown(library: Library, connection: Connection, volumes: dict[int, KnownVolume], path: bytes) -> Verdict:
    spelled, root = _root_of(library, path)
    scan = f"photoindex scan {_shown(path)}"
    if not os.path.lexists(path):
        because = "there is nothing at this path, and no scan has ever seen it"
        if root is not None and not volumes[root.volume.id].online:
            because = f"no scan has ever seen it, and its volume {root.volume.label} is not mounted now"
        closed = _closed_folder(spelled)
        if closed is not None:
            because = f"the folder {display(closed)} may not be looked into, so no scan has seen what is in it"
        return Verdict(path, Answer.ABSENT, because)
    if root is None:
        return Verdict(path, Answer.OUTSIDE, "it lies outside every folder that was ever scanned", scan)
    rule = _rule(library, spelled, root)
    if rule is not None:
        return Verdict(path, Answer.EXCLUDED, f"it is left out by {rule}")
    below = f"the scanned folder {display(root.path)}"
    last = (
        "which was never scanned to its end"
        if root.row.scanned_at is None
        else f"last scanned at {local_time(root.row.scanned_at)}"
    )
    problem = _unreadable(spelled)
    if problem is not None:
        return Verdict(path, Answer.UNSCANNED, f"it lies below {below}, but {problem}", None)
    if os.path.isdir(spelled):
        known = sum(files_below(connection, place) for place in places_of(path, [one.row for one in volumes.values()]))
        what = "is" if spelled == root.path else "lies below"
        return Verdict(path, Answer.FOLDER, f"it {what} {below}, {last}; {known} files in it are known", scan)
    return Verdict(path, Answer.UNSCANNED, f"it lies below {below}, {last}, but no scan has seen it yet", scan)


def _unreadable(path: bytes) -> str | None:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return f"it cannot be reached ({error.strerror})"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "it is not a regular file"
    folder = path if stat.S_ISDIR(mode) else os.path.dirname(path)
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"the folder {display(folder)} may not be read; change its permissions"
    return None


def _root_of(library: Library, path: bytes) -> tuple[bytes, KnownRoot | None]:
    """Return the spelling of `path` that lies in a root, and that root."""
    roots = Roots(library.database)
    for spelled in spellings(path):
        root = roots.containing(spelled)
        if root is not None:
            return spelled, root
    return path, None


def _rule(library: Library, spelled: bytes, root: KnownRoot) -> str | None:
    """Return which rule of a scan's leaves out an absolute path below a root."""
    for own in (library.folder, library.derived_folder):
        if is_within(spelled, os.path.realpath(os.fsencode(own))):
            return f"photoindex itself, whose own folder {own} holds no originals"
    patterns = (*library.config.scan.exclude, *root.row.excludes)
    return reason_for(spelled, root=root.path, patterns=patterns, follow_symlinks=root.row.follow_symlinks)


def _shown(path: bytes) -> str:
    return quote(display(path))


def _times(task: TaskRow) -> str:
    return "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"


def _error(task: TaskRow) -> str:
    return f"{task.error_class or 'unknown'}: {task.error or 'no message'}"


def as_json(verdict: Verdict) -> dict[str, object]:
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
