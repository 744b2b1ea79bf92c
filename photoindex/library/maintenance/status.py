"""How a library stands: what it holds, what is left to do, what it costs, what to do next."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from photoindex.errors import ModelUnavailable
from photoindex.library.timestamps import utc
from photoindex.library.embed.model_choice import command_to_use, model_to_embed
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import volumes_now
from photoindex.paths import display, to_text
from photoindex.stages import embed
from photoindex.stages.ingest import CODE_VERSION
from photoindex.store.files.volumes import VolumeRow
from photoindex.store.photos.counts import (
    FileCounts,
    RootScan,
    count_assets,
    count_files_by_volume,
    count_photos_by_format,
    count_quarantined_by_error_class,
    count_tasks,
    has_contents_of_earlier_code,
    root_scans,
)
from photoindex.store.tasks import embed_tasks
from photoindex.store.vectors import spaces

SAMPLED_FOLDERS = 32
"""Derived folders that are measured; digests spread evenly, so the others weigh the same."""


@dataclass(frozen=True, slots=True)
class VolumeStatus:
    """One volume, whether it is mounted now, and its files."""

    volume: VolumeRow
    online: bool
    files: FileCounts


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes on the library's disk. `derived_is_estimate`: from a sample of the folders of previews and thumbnails."""

    database: int
    derived: int
    derived_is_estimate: bool
    logs: int
    free: int


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command worth running now, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `photoindex status` tells; tasks: stage -> state -> number, "dismissed" apart from quarantined."""

    library: Path
    formats: Mapping[str, int]
    assets: int
    volumes: tuple[VolumeStatus, ...]
    tasks: Mapping[str, Mapping[str, int]]
    quarantined: Mapping[str, int]
    roots: tuple[RootScan, ...]
    disk: DiskUse
    next_steps: tuple[NextStep, ...]
    reread: bool = False
    """Whether contents were read by an earlier version, which knew fewer facts."""
    to_embed: int = 0
    """Pictures without a vector in the space that search uses, where its model is installed."""
    unused_spaces: tuple[str, ...] = ()
    """The spaces there are, where search uses none of them."""

    @property
    def photos(self) -> int:
        """Number of photos."""
        return sum(self.formats.values())

    @property
    def files(self) -> FileCounts:
        """Files of all volumes together."""
        return sum((one.files for one in self.volumes), FileCounts())

    def waiting(self, stage: str) -> int:
        """Return the number of a stage's tasks that a run would take."""
        states = self.tasks.get(stage, {})
        return states.get("pending", 0) + states.get("failed", 0)

    def count(self, state: str) -> int:
        """Return the number of tasks of all stages in a state."""
        return sum(states.get(state, 0) for states in self.tasks.values())


def status(library: Library) -> Status:
    """Return how the library stands; at a million photos in about a second."""
    with library.database.read() as connection:
        volumes = volumes_now(connection)
        files = count_files_by_volume(connection)
        found = Status(
            library=library.folder,
            formats=count_photos_by_format(connection),
            assets=count_assets(connection),
            volumes=tuple(VolumeStatus(one.row, one.online, files[number]) for number, one in volumes.items()),
            tasks=count_tasks(connection),
            quarantined=count_quarantined_by_error_class(connection),
            roots=tuple(root_scans(connection)),
            disk=_disk_use(library),
            next_steps=(),
            reread=has_contents_of_earlier_code(connection, CODE_VERSION),
            to_embed=_count_to_embed(library, connection),
            unused_spaces=_unused_spaces(connection),
        )
    return _with_next_steps(found)


def _count_to_embed(library: Library, connection: Connection) -> int:
    """Return how many pictures the space in use lacks, or all where there is none yet; 0 where its model is not installed."""
    from photoindex.models.weights import ModelStore

    space = spaces.active_space(connection)
    try:
        ModelStore(library.models_folder).get(model_to_embed(library) if space is None else space.model)
    except ModelUnavailable:
        return 0
    if space is None:
        return 0 if spaces.all_spaces(connection) else embed_tasks.count_to_do(connection, None)
    if not embed_tasks.may_lack(connection, space.id):
        return 0
    return embed_tasks.count_lacking(connection, space.id, space.variant_id)


def _unused_spaces(connection: Connection) -> tuple[str, ...]:
    there = spaces.all_spaces(connection)
    return () if any(one.active for one in there) else tuple(one.name for one in there)


def _disk_use(library: Library) -> DiskUse:
    derived, is_estimate = size_of_derived(library.derived_folder)
    database = library.database.path
    parts = (database, database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm"))
    return DiskUse(
        database=sum(_size(os.fsencode(part)) for part in parts),
        derived=derived,
        derived_is_estimate=is_estimate,
        logs=_size_of_folder(os.fsencode(library.log_folder)),
        free=shutil.disk_usage(library.folder).free,
    )


def size_of_derived(folder: Path, *, sampled: int = SAMPLED_FOLDERS) -> tuple[int, bool]:
    """Return the bytes of all previews and thumbnails, and whether that is an estimate from `sampled` folders."""
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            folders = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return 0, False
    if len(folders) <= sampled:
        return sum(_size_of_folder(one) for one in folders), False
    chosen = [folders[number * len(folders) // sampled] for number in range(sampled)]
    measured = sum(_size_of_folder(one) for one in chosen)
    return round(measured / sampled * len(folders)), True


def _size_of_folder(folder: bytes) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(_size(entry.path) for entry in entries)
    except FileNotFoundError:
        return 0


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0  # a file that another command removed meanwhile


def _with_next_steps(found: Status) -> Status:
    steps = []
    if not found.roots:
        steps.append(NextStep("photoindex scan PATH", "no folder of photos is known yet"))
    steps.extend(
        NextStep("photoindex scan", f"{display(one.path)} was never scanned to its end")
        for one in found.roots
        if one.scanned_at is None
    )
    waiting = found.count("pending") + found.count("failed") - found.waiting(embed.NAME)
    if waiting:
        steps.append(
            NextStep("photoindex scan", f"{waiting} {'task waits' if waiting == 1 else 'tasks wait'} to be done")
        )
    if found.to_embed:
        lack = "picture lacks its vector" if found.to_embed == 1 else "pictures lack their vectors"
        steps.append(NextStep("photoindex embed", f"{found.to_embed} {lack}: search by meaning does not find them yet"))
    if found.unused_spaces:
        steps.append(
            NextStep(command_to_use(found.unused_spaces), "no space is in use: no photo is found by what it shows")
        )
    if found.reread:
        steps.append(
            NextStep(
                "photoindex redo ingest",
                "some photos were read by an earlier version, which knew fewer facts; then scan",
            )
        )
    if found.count("quarantined"):
        steps.append(
            NextStep("photoindex tasks --state quarantined", f"{found.count('quarantined')} given up: see why")
        )
        steps.append(NextStep("photoindex retry", "try them again, or leave them so with --dismiss"))
    steps.extend(
        NextStep("photoindex scan", f"volume {one.volume.label} is not mounted: mount it, then scan")
        for one in found.volumes
        if not one.online
    )
    if found.files.missing:
        steps.append(
            NextStep("photoindex prune --dry-run", f"{found.files.missing} missing: see what forgetting them means")
        )
    if found.photos:
        steps.append(NextStep("photoindex backup DEST", "keep a snapshot of the library on another disk"))
    return replace(found, next_steps=tuple(steps))


def as_json(found: Status) -> dict[str, object]:
    """Return the documented JSON object of a library's status."""
    files = found.files
    return {
        "schema": 1,
        "library": str(found.library),
        "at": utc(time.time()),
        "photos": found.photos,
        "assets": found.assets,
        "files": _files_as_json(files),
        "formats": dict(found.formats),
        "volumes": [
            {
                "id": one.volume.id,
                "label": one.volume.label,
                "mount_point": to_text(one.volume.mount_point),
                "online": one.online,
                "last_seen_at": utc(one.volume.last_seen_at),
                **_files_as_json(one.files),
            }
            for one in found.volumes
        ],
        "tasks": {
            stage: {state: number for state, number in states.items() if number}
            for stage, states in found.tasks.items()
        },
        "quarantined": dict(found.quarantined),
        "roots": [
            {
                "path": to_text(one.path),
                "added_at": utc(one.added_at),
                "scanned_at": utc(one.scanned_at),
                "summary": one.summary,
            }
            for one in found.roots
        ],
        "disk": {
            "database_bytes": found.disk.database,
            "derived_bytes": found.disk.derived,
            "derived_is_estimate": found.disk.derived_is_estimate,
            "logs_bytes": found.disk.logs,
            "free_bytes": found.disk.free,
        },
        "next": [{"command": step.command, "why": step.why} for step in found.next_steps],
    }


def _files_as_json(files: FileCounts) -> dict[str, int]:
    return {
        "present": files.present,
        "missing": files.missing,
        "excluded": files.excluded,
        "not_media": files.not_media,
        "undetermined": files.undetermined,
        "bytes": files.bytes_present,
    }
