"""Reads, lists and verifies the snapshots in a destination.

A snapshot is a folder `photoindex-<UTC stamp>` with `manifest.json`, one zstd file per part and, after a verification,
`verified.json`. A folder with a temporary name (`.photoindex-…`) was left by a killed backup.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from photoindex import __version__
from photoindex.atomic_files import atomic_file
from photoindex.errors import DatabaseFailed, SchemaTooNew, SnapshotDamaged, StorageFull, UsageError
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.backup.parts import SnapshotPart, check_part, forget_cached
from photoindex.library.timestamps import utc
from photoindex.paths import display
from photoindex.progress import EventSink, Notice, ignore_events
from photoindex.store.engine import snapshot

MANIFEST_NAME = "manifest.json"
VERIFIED_NAME = "verified.json"
DATABASE_PART = "photoindex.db"
JOURNAL_PART = "journal.jsonl"
CONFIG_PART = "config.toml"
PARTS = (DATABASE_PART, JOURNAL_PART, CONFIG_PART)
PREFIX = "photoindex-"
TEMPORARY_PREFIX = ".photoindex-"
SCHEMA = 1
_NAMED = 5


class SnapshotManifest(BaseModel):
    """The manifest of a snapshot. `created_at` is ISO 8601 UTC, `revision` the revision of the database schema.

    The file also has `blake3`, a digest of all other keys, so that any change is detected.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    program_version: str
    created_at: str
    library_id: str
    revision: str
    counts: dict[str, int]
    pieces: tuple[SnapshotPart, ...] = Field(min_length=1)

    def part(self, name: str) -> SnapshotPart | None:
        """Return the part with this name, None if the snapshot has none."""
        return next((part for part in self.pieces if part.name == name), None)


class SnapshotState(StrEnum):
    """Complete: the manifest is valid and every part has the right size; only `verify` checks the parts' contents."""

    COMPLETE = "complete"
    DAMAGED = "damaged"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot in a destination.

    bytes: its size on disk. created_at, verified_at: ISO 8601 UTC; None if unknown or never verified. problem: why it is
    not complete. manifest: None if it cannot be read.
    """

    path: Path
    state: SnapshotState
    bytes: int
    created_at: str | None = None
    verified_at: str | None = None
    problem: str | None = None
    manifest: SnapshotManifest | None = None


def write_manifest(folder: Path, manifest: SnapshotManifest) -> None:
    """Write the manifest into `folder` and sync it to disk."""
    body = {"schema": SCHEMA, **manifest.model_dump(mode="json")}
    _write_whole(folder / MANIFEST_NAME, {**body, "blake3": _digest(body)})


def read_manifest(folder: Path) -> SnapshotManifest:
    """Return the manifest of the snapshot in `folder`.

    Raises SnapshotDamaged, SchemaTooNew if a newer version wrote it, UsageError if there is no snapshot.
    """
    body, digest = _read_manifest_body(folder)
    if body["schema"] > SCHEMA:
        raise SchemaTooNew(
            f"{_shown(folder)} was made by a newer photoindex; install photoindex {body.get('program_version')} or later"
        )
    try:
        manifest = SnapshotManifest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise SnapshotDamaged(
            f"the snapshot {_shown(folder)} is damaged: {MANIFEST_NAME}: {error.errors()[0]['msg']}"
        ) from None
    names = [part.name for part in manifest.pieces]
    if digest != _digest(body) or not set(names) <= set(PARTS) or len(set(names)) != len(names):
        raise SnapshotDamaged(f"the snapshot {_shown(folder)} is damaged: {MANIFEST_NAME}: its digest differs")
    return manifest


def _read_manifest_body(folder: Path) -> tuple[dict[str, Any], object]:
    try:
        text = (folder / MANIFEST_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise _no_snapshot(folder) from None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("schema"), int):
        raise SnapshotDamaged(f"the snapshot {_shown(folder)} is damaged: {MANIFEST_NAME} cannot be read")
    return body, body.pop("blake3", None)


def _no_snapshot(folder: Path) -> Exception:
    if folder.name.startswith((PREFIX, TEMPORARY_PREFIX)) and folder.is_dir():
        return SnapshotDamaged(f"the snapshot {_shown(folder)} is incomplete: {MANIFEST_NAME} is missing")
    inside = list(list_snapshots(folder)) if folder.is_dir() else []
    if len(inside) == 1:
        return UsageError(f"{_shown(folder)} holds a snapshot; name it: {_shown(inside[0].path)}")
    if inside:
        named = ", ".join(_shown(one.path) for one in inside[:_NAMED])
        more = f" and {len(inside) - _NAMED:,} older" if len(inside) > _NAMED else ""
        return UsageError(f"{_shown(folder)} holds several snapshots; name one of them: {named}{more}")
    return UsageError(f"{_shown(folder)} is not a snapshot; see: photoindex backup list DEST")


def list_snapshots(destination: Path) -> Iterator[Snapshot]:
    """Yield the snapshots of a destination, newest first; damaged and incomplete ones too. Raises UsageError."""
    try:
        names = sorted(os.listdir(destination))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"there is no folder {_shown(destination)}") from None
    found = [
        inspect_snapshot(destination / name)
        for name in names
        if name.startswith((PREFIX, TEMPORARY_PREFIX)) and (destination / name).is_dir()
    ]
    yield from sorted(found, key=lambda one: (one.created_at or "", one.path.name.lstrip(".")), reverse=True)


def inspect_snapshot(folder: Path) -> Snapshot:
    """Return the state of the snapshot in `folder` without reading its parts."""
    size = _size_on_disk(folder)
    if folder.name.startswith(TEMPORARY_PREFIX):
        return Snapshot(folder, SnapshotState.INCOMPLETE, size, problem="a backup was killed, or is running now")
    try:
        manifest = read_manifest(folder)
    except (SnapshotDamaged, SchemaTooNew) as error:
        return Snapshot(folder, SnapshotState.DAMAGED, size, problem=str(error))
    problem = None
    for part in manifest.pieces:
        try:
            stored = os.stat(folder / part.file_name).st_size
        except OSError:
            stored = -1
        if stored != part.compressed_bytes:
            problem = f"{part.file_name} is missing" if stored < 0 else f"{part.file_name} has the wrong size"
    return Snapshot(
        folder,
        SnapshotState.COMPLETE if problem is None else SnapshotState.DAMAGED,
        size,
        created_at=manifest.created_at,
        verified_at=None if problem is not None else _verified_at(folder, manifest),
        problem=problem,
        manifest=manifest,
    )


def verify(folder: Path, events: EventSink = ignore_events) -> Snapshot:
    """Verify a snapshot (digests; the database's pages, indices and foreign keys) and record it beside the manifest.

    folder: that of the snapshot, or a destination with no other. The database is decompressed into the folder for temporary files (TMPDIR). Raises SnapshotDamaged with the name of the
    part, SchemaTooNew, StorageFull, UsageError.
    """
    folder = _only_snapshot(folder)
    manifest = read_manifest(folder)
    database = manifest.part(DATABASE_PART)
    try:
        with tempfile.TemporaryDirectory(prefix="photoindex-verify-") as temporary:
            if database is not None and shutil.disk_usage(temporary).free < database.bytes:
                raise StorageFull(
                    f"checking needs {database.bytes} bytes in {temporary}; free some space or set TMPDIR to another folder"
                )
            extract(folder, manifest, Path(temporary), events)
            check_database(folder, manifest, Path(temporary) / DATABASE_PART, events)
    except SnapshotDamaged:
        _forget_verification(folder)
        raise
    try:
        record_verification(folder, manifest)
    except OSError as error:
        events(Notice(f"{VERIFIED_NAME} could not be written beside the snapshot: {error.strerror}", level="warning"))
    return inspect_snapshot(folder)


def _only_snapshot(folder: Path) -> Path:
    """Return the one snapshot in a destination; `folder` itself if it is a snapshot or there are several or none."""
    if folder.name.startswith((PREFIX, TEMPORARY_PREFIX)) or not folder.is_dir() or (folder / MANIFEST_NAME).exists():
        return folder
    finished = [one.path for one in list_snapshots(folder) if one.state is not SnapshotState.INCOMPLETE]
    return finished[0] if len(finished) == 1 else folder


def record_verification(folder: Path, manifest: SnapshotManifest) -> None:
    """Note beside the manifest that the snapshot in `folder` was intact just now. Raises OSError."""
    note = {
        "schema": 1,
        "verified_at": utc(time.time()),
        "created_at": manifest.created_at,
        "program_version": __version__,
    }
    _write_whole(folder / VERIFIED_NAME, note)


def read_back(folder: Path, manifest: SnapshotManifest, events: EventSink) -> None:
    """Read every part of a snapshot that was just written, from the disk and not from memory. Raises SnapshotDamaged."""
    if read_manifest(folder) != manifest:
        raise SnapshotDamaged(f"{MANIFEST_NAME} is not what was written")
    with ByteProgress(events, "reading back", sum(part.bytes for part in manifest.pieces)) as progress:
        for part in manifest.pieces:
            forget_cached(folder / part.file_name)
            check_part(folder, part, None, progress.advance)
            progress.next_part()


def extract(folder: Path, manifest: SnapshotManifest, target: Path, events: EventSink) -> None:
    """Write every part into `target` under its own name, checking digests. Raises SnapshotDamaged."""
    with ByteProgress(events, "checking pieces", sum(part.bytes for part in manifest.pieces)) as progress:
        for part in manifest.pieces:
            check_part(folder, part, target / part.name, progress.advance)
            progress.next_part()


def check_database(folder: Path, manifest: SnapshotManifest, path: Path, events: EventSink) -> None:
    """Check the decompressed database of the snapshot in `folder`. Raises SnapshotDamaged."""
    where = f"the snapshot {_shown(folder)} is damaged: {DATABASE_PART}"
    if not path.exists():
        raise SnapshotDamaged(f"{where}: it is missing")
    try:
        with ByteProgress(events, "checking the database", None) as progress:
            problems = snapshot.problems_of(path)
            if problems:
                raise SnapshotDamaged(f"{where}: {problems[0]}")
            contents = snapshot.contents_of(path)
            progress.advance(os.stat(path).st_size)
    except DatabaseFailed as error:
        raise SnapshotDamaged(f"{where}: {error}") from error
    if (contents.library_id, contents.revision, contents.counts) != (
        manifest.library_id,
        manifest.revision,
        manifest.counts,
    ):
        raise SnapshotDamaged(f"{where}: its contents do not match the manifest")


def _verified_at(folder: Path, manifest: SnapshotManifest) -> str | None:
    try:
        note = json.loads((folder / VERIFIED_NAME).read_bytes())
        return str(note["verified_at"]) if note["created_at"] == manifest.created_at else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _forget_verification(folder: Path) -> None:
    try:
        (folder / VERIFIED_NAME).unlink(missing_ok=True)
    except OSError:
        return  # a read-only medium; the caller reports the damage


def _size_on_disk(folder: Path) -> int:
    try:
        with os.scandir(folder) as found:
            return sum(one.stat(follow_symlinks=False).st_size for one in found if one.is_file(follow_symlinks=False))
    except OSError:
        return 0


def _digest(body: dict[str, Any]) -> str:
    from blake3 import blake3

    return str(blake3(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest())


def _write_whole(path: Path, values: dict[str, Any]) -> None:
    with atomic_file(path, temporary=path.with_name(f".{path.name}.{os.getpid()}")) as file:
        file.write(json.dumps(values, indent=2).encode("ascii") + b"\n")


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
