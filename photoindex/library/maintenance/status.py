"""The status of a library: its contents, pending work, disk usage, and suggested next steps."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from photoindex import stages
from photoindex.errors import ModelUnavailable
from photoindex.library.embed.model_choice import (
    command_to_embed,
    command_to_use,
    install_command,
    installed_ids,
    model_to_embed,
)
from photoindex.library.handle import Library
from photoindex.library.lock import is_held
from photoindex.library.night.state import RunState, running
from photoindex.library.originals.path_lookup import volumes_now
from photoindex.library.people.model_choice import installed_packs, model_for_faces, waiting_by_command
from photoindex.library.stage_run import NEVER_PLANNED, lock_name, variant_of
from photoindex.library.timestamps import utc
from photoindex.library.words import reader_choice
from photoindex.library.words.model_choice import installed_captioners, model_to_caption
from photoindex.paths import display, shell_word, to_text
from photoindex.permissions import too_open
from photoindex.stages import caption, embed, faces, ingest, ocr
from photoindex.store.files.volumes import VolumeRow
from photoindex.store.photos.counts import (
    FileCounts,
    RootScan,
    contents_of_earlier_code,
    count_assets,
    count_files_by_volume,
    count_photos_by_format,
    count_quarantined_by_error_class,
    count_tasks,
    root_scans,
)
from photoindex.store.tasks import asset_tasks
from photoindex.store.vectors import spaces

_NO_MODEL = "no model is installed that finds photos by what they show"
SAMPLED_FOLDERS = 32
"""Number of derived folders to measure; digests are uniform, so the others have about the same size."""


@dataclass(frozen=True, slots=True)
class VolumeStatus:
    """One volume, whether it is mounted now, and its files."""

    volume: VolumeRow
    online: bool
    files: FileCounts


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes on the library's disk. derived_is_estimate: estimated from a sample of the preview folders."""

    database: int
    derived: int
    derived_is_estimate: bool
    logs: int
    free: int


@dataclass(frozen=True, slots=True)
class NextStep:
    """A suggested command, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `photoindex status` shows; tasks: stage -> state -> count, "dismissed" separate from quarantined."""

    library: Path
    formats: Mapping[str, int]
    assets: int
    volumes: tuple[VolumeStatus, ...]
    tasks: Mapping[str, Mapping[str, int]]
    quarantined: Mapping[str, int]
    roots: tuple[RootScan, ...]
    disk: DiskUse
    next_steps: tuple[NextStep, ...]
    reread: Mapping[int, int] = field(default_factory=dict)
    """Earlier code version of `ingest` -> number of contents that it read, with fewer facts."""
    to_embed: int = 0
    """Pictures without a vector in the active space; 0 if its model is not installed."""
    embed_command: str = ""
    """What embeds these pictures."""
    for_faces: Mapping[str, int] = field(default_factory=dict)
    """Command -> number of pictures that it would look through for faces."""
    for_ocr: Mapping[str, int] = field(default_factory=dict)
    """Command -> number of pictures in which it would read the text."""
    without_model: Mapping[str, str] = field(default_factory=dict)
    """Stage without an installed model -> the command that installs one."""
    unused_spaces: tuple[str, ...] = ()
    """All spaces, if none of them is active."""
    open_folders: tuple[tuple[Path, str], ...] = ()
    """Folders that others may read although the settings do not say so, each with the octal mode that closes it."""
    run: RunState | None = None
    """What `photoindex run` is doing now, None if it is not at work."""

    @property
    def photos(self) -> int:
        """Number of photos."""
        return sum(self.formats.values())

    @property
    def files(self) -> FileCounts:
        """Files of all volumes together."""
        return sum((one.files for one in self.volumes), FileCounts())

    def waiting(self, stage: str) -> int:
        """Return the number of a stage's tasks that a run would process."""
        states = self.tasks.get(stage, {})
        return states.get("pending", 0) + states.get("failed", 0)

    def count(self, state: str) -> int:
        """Return the number of tasks of all stages in a state."""
        return sum(states.get(state, 0) for states in self.tasks.values())


def status(library: Library) -> Status:
    """Return the status of the library; takes about a second for a million photos."""
    with library.database.read() as connection:
        volumes = volumes_now(connection)
        files = count_files_by_volume(connection)
        to_embed = _count_to_embed(library, connection)
        found = Status(
            library=library.folder,
            formats=count_photos_by_format(connection),
            assets=count_assets(connection),
            volumes=tuple(VolumeStatus(one.row, one.online, files[number]) for number, one in volumes.items()),
            tasks=_with_living_runs(count_tasks(connection), library),
            quarantined=count_quarantined_by_error_class(connection),
            roots=tuple(root_scans(connection)),
            disk=_disk_use(library),
            next_steps=(),
            reread=contents_of_earlier_code(connection, ingest.STAGE.code_version),
            to_embed=to_embed,
            embed_command=_embed_command(library, connection) if to_embed else "",
            for_faces=waiting_by_command(library, connection),
            for_ocr=reader_choice.waiting_by_command(library, connection),
            without_model=_without_model(library),
            unused_spaces=_unused_spaces(connection),
            open_folders=open_folders(library),
            run=running(library.folder),
        )
    return _with_next_steps(found)


def _count_to_embed(library: Library, connection: Connection) -> int:
    """Return how many pictures are not in the active space, or all if there is none yet; 0 if its model is not installed."""
    from photoindex.models.weights import ModelStore

    space = spaces.active_space(connection)
    try:
        ModelStore(library.models_folder).get(model_to_embed(library) if space is None else space.model)
    except ModelUnavailable:
        return 0
    if space is None:
        return (
            0
            if spaces.all_spaces(connection)
            else asset_tasks.count_to_do(connection, variant_of(embed.STAGE, NEVER_PLANNED))
        )
    return spaces.count_not_embedded(connection, space)


def _without_model(library: Library) -> Mapping[str, str]:
    chosen = {
        embed.STAGE.name: (installed_ids(library), model_to_embed(library)),
        faces.STAGE.name: (installed_packs(library), model_for_faces(library)),
    }
    if not library.config.caption.endpoint:
        chosen[caption.STAGE.name] = (installed_captioners(library), model_to_caption(library))
    return {name: install_command(library, model) for name, (installed, model) in chosen.items() if not installed}


def _embed_command(library: Library, connection: Connection) -> str:
    """Return the command that embeds in the active space, or in the first one."""
    space = spaces.active_space(connection)
    return command_to_embed(library, model_to_embed(library) if space is None else space.model)


def _unused_spaces(connection: Connection) -> tuple[str, ...]:
    known = spaces.all_spaces(connection)
    return () if any(one.active for one in known) else tuple(one.name for one in known)


def _with_living_runs(tasks: Mapping[str, Mapping[str, int]], library: Library) -> dict[str, Mapping[str, int]]:
    """Count the running tasks of a run that was killed as pending: the next run takes them."""
    found = dict(tasks)
    for stage in stages.STAGES:
        states = found.get(stage.name, {})
        running = states.get("running", 0)
        if running and not is_held(library.folder / lock_name(stage)):
            found[stage.name] = {**states, "running": 0, "pending": states.get("pending", 0) + running}
    return found


def open_folders(library: Library) -> tuple[tuple[Path, str], ...]:
    """Return folders that others may read although the settings do not say so, each with the octal mode that closes it."""
    folders = dict.fromkeys(
        (library.folder, library.database.path.parent, library.derived_folder, library.models_folder)
    )
    closed_by = ((one, too_open(one, library.config.permissions)) for one in folders)
    outermost = [(one, mode) for one, mode in closed_by if mode is not None]
    closed = {library.folder} - {one for one, _mode in outermost}
    return tuple((one, mode) for one, mode in outermost if not closed & set(one.parents))


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
        return 0  # removed by another command in the meantime


def _what_rereading_brings(contents: Mapping[int, int]) -> str:
    """Say what reading contents again brings that earlier code versions read; contents: number by code version."""
    count, oldest = sum(contents.values()), min(contents)
    brought = "; ".join(text for code, text in ingest.BROUGHT.items() if code > oldest)
    were = "1 photo was" if count == 1 else f"{count:,} photos were"
    return f"{were} read by an earlier version; reading again brings {brought}; then scan"


def _steps_to_scan(found: Status) -> Iterator[NextStep]:
    if not found.roots:
        yield NextStep("photoindex scan PATH", "the library has no folder of photos yet")
    elif not found.assets and all(one.scanned_at is not None for one in found.roots):
        yield NextStep("photoindex scan PATH", "no photo was found yet; name a folder that has some")
    for one in found.roots:
        if one.scanned_at is None:
            yield NextStep("photoindex scan", f"{display(one.path)} was never completely scanned")


def _with_next_steps(found: Status) -> Status:
    steps = list(_steps_to_scan(found))
    for stage in stages.STAGES:
        waiting = found.waiting(stage.name)
        if waiting and stage not in (embed.STAGE, faces.STAGE, ocr.STAGE):  # they have their own steps below, by model
            tasks = "1 task is" if waiting == 1 else f"{waiting} tasks are"
            steps.append(NextStep(f"photoindex {stage.command}", f"{tasks} pending"))
    steps.extend(_steps_to_embed(found.to_embed, found.embed_command))
    if found.photos and (pull := found.without_model.get(embed.STAGE.name)):
        steps.append(NextStep(pull, _NO_MODEL))
    steps.extend(
        NextStep(
            command, f"{number:,} {'picture was' if number == 1 else 'pictures were'} not looked through for faces"
        )
        for command, number in found.for_faces.items()
    )
    steps.extend(
        NextStep(command, f"{number:,} {'picture was' if number == 1 else 'pictures were'} not read for text")
        for command, number in found.for_ocr.items()
    )
    if found.unused_spaces:
        steps.append(NextStep(command_to_use(found.unused_spaces), "no space is active: semantic search finds nothing"))
    if found.reread:
        steps.append(
            NextStep(
                "photoindex redo ingest",
                _what_rereading_brings(found.reread),
            )
        )
    if found.count("quarantined"):
        steps.append(
            NextStep("photoindex tasks --state quarantined", f"{found.count('quarantined')} quarantined: see why")
        )
        steps.append(NextStep("photoindex retry", "retry, or --dismiss to ignore"))
    steps.extend(
        NextStep("photoindex scan", f"volume {one.volume.label} is not mounted: mount it, then scan")
        for one in found.volumes
        if not one.online
    )
    if found.files.missing:
        steps.append(
            NextStep("photoindex prune --dry-run", f"{found.files.missing} missing: see what would be removed")
        )
    steps.extend(
        NextStep(f"chmod {mode} {shell_word(os.fsencode(folder))}", "others may read this folder")
        for folder, mode in found.open_folders
    )
    if found.photos:
        others = [stage for stage in found.without_model if stage != embed.STAGE.name]
        if others and all(step.why == _NO_MODEL for step in steps):
            steps.append(NextStep("photoindex models list", f"no model is installed for: {', '.join(others)}"))
        steps.append(NextStep("photoindex backup DEST", "keep a snapshot of the library on another disk"))
    return replace(found, next_steps=tuple(steps))


def next_after_scan(library: Library) -> NextStep | None:
    """Return the next step towards a search by what photos show, None if there is none."""
    with library.database.read() as connection:
        to_embed = _count_to_embed(library, connection)
        for step in _steps_to_embed(to_embed, _embed_command(library, connection) if to_embed else ""):
            return step
        known = spaces.all_spaces(connection)
    pull = None if known else _without_model(library).get(embed.STAGE.name)
    return None if pull is None else NextStep(pull, _NO_MODEL)


def _steps_to_embed(pictures: int, command: str) -> Iterator[NextStep]:
    if pictures:
        are = "picture is" if pictures == 1 else "pictures are"
        yield NextStep(command, f"{pictures:,} {are} not embedded: not found by what they show yet")


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
        **({} if found.run is None else {"run": asdict(found.run)}),
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
