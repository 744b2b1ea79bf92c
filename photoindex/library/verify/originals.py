"""Reads originals again and compares their bytes with what the library knows of them."""

from __future__ import annotations

import json
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from photoindex.durations import seconds_since_boot
from photoindex.library.export.output_files import write_whole
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.path_lookup import KnownVolume, choose, volumes_now
from photoindex.media.rereading import Known, Outcome, Reread, reread
from photoindex.mounts import mount_with_identity
from photoindex.paths import to_text
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.engine.chunks import chunks
from photoindex.store.files.files import join
from photoindex.store.night import proofs
from photoindex.store.night.proofs import Coverage, FileToProve, Proof

LOCK_NAME = "originals.lock"
PHASE = "reading originals"
_READERS = 2
"""Files read at once: while the bytes of one are hashed, those of the next come from the disk."""
_ROWS = 500
_COMMIT_FILES = 64
_COMMIT_SECONDS = 2.0

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class OriginalsRequest:
    """Which originals to read; those never read come first, then those with the oldest proof.

    paths: only these files and folders. sample: at most this share of the originals within reach, above 0 and at most 1.
    older_than_seconds: leave out what was proved good later than this. window_seconds: no file is begun later than this
    after the start.
    """

    paths: tuple[bytes, ...] = ()
    sample: float | None = None
    older_than_seconds: float | None = None
    window_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that is not as the library knows it. copy: a file with the right bytes, which were just read."""

    outcome: Outcome
    path: bytes
    detail: str
    size_bytes: int
    digest: bytes
    copy: bytes | None = None


@dataclass(slots=True)
class OriginalsSummary:
    """What a run read, in files. left: due, but not read. offline: label of a volume that is not mounted -> files.

    younger: proved good more recently than was asked for. coverage: of the whole library, after the run.
    """

    good: int = 0
    changed: int = 0
    damaged: int = 0
    unreadable: int = 0
    missing: int = 0
    left: int = 0
    younger: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    offline: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    stopped: bool = False
    window_ended: bool = False
    coverage: Coverage = field(default_factory=lambda: Coverage(0, 0, None))

    @property
    def read(self) -> int:
        """Files that were read, or that could not be."""
        return self.good + self.damaged + self.unreadable


def verify_originals(
    library: Library, request: OriginalsRequest, emit: EventSink = ignore_events, stop: Stop = lambda: False
) -> OriginalsSummary:
    """Read originals and store what was found of each; nothing but the library is written.

    Raises NothingFound for a path that the library does not know, LibraryLocked while another run reads originals,
    StorageFull, DatabaseFailed; what was proved until then is kept.
    """
    with exclusive(library.folder, "photoindex verify --originals", name=LOCK_NAME):
        run = _Run(library, request, emit, stop)
        run.plan()
        run.read()
        with library.database.read() as connection:
            run.summary.coverage = proofs.coverage(connection)
        return run.summary


@dataclass(slots=True)
class _Run:
    """One run, from choosing the files to its summary."""

    library: Library
    request: OriginalsRequest
    emit: EventSink
    stop: Stop
    summary: OriginalsSummary = field(default_factory=OriginalsSummary)
    started: float = field(default_factory=seconds_since_boot)
    _ids: array[int] = field(default_factory=lambda: array("q"))
    _target: int = 0
    _handled: int = 0
    _volumes: dict[int, KnownVolume] = field(default_factory=dict)
    _away: set[int] = field(default_factory=set)
    _made: list[tuple[FileToProve, Proof]] = field(default_factory=list)
    _committed_at: float = field(default_factory=time.monotonic)
    _abandoned: Flag = field(default_factory=Flag)

    def plan(self) -> None:
        """Choose the files to read, in the order of reading, and count those out of reach."""
        age = self.request.older_than_seconds
        before = None if age is None else time.time() - age
        self.emit(PhaseStarted("choosing originals", None))
        began = time.perf_counter()
        with self.library.database.read() as connection:
            self._volumes = volumes_now(connection)
            chosen = choose(connection, self.request.paths)
            for id_, volume_id in proofs.due(
                connection, proved_before=before, file_ids=chosen.file_ids, locations=chosen.locations
            ):
                if self._volumes[volume_id].online:
                    self._ids.append(id_)
                else:
                    self.summary.offline[self._volumes[volume_id].row.label] += 1
            if before is not None:
                self.summary.younger = proofs.count_proved_since(
                    connection, before, file_ids=chosen.file_ids, locations=chosen.locations
                )
        self._target = within_reach = len(self._ids)
        if self.request.sample is not None:
            wanted = round(self.request.sample * (within_reach + self.summary.younger))
            self._target = min(within_reach, max(1, wanted))
        self.emit(PhaseFinished("choosing originals", within_reach, time.perf_counter() - began))

    def read(self) -> None:
        """Read the chosen files until enough are read, the time is over or the user ends it."""
        began = time.perf_counter()
        self.emit(PhaseStarted(PHASE, self._target))
        running: deque[tuple[FileToProve, Future[Reread]]] = deque()
        with ThreadPoolExecutor(_READERS) as pool:
            try:
                for one in self._files():
                    if self._is_over() or self.summary.read >= self._target:
                        break
                    if one.volume_id in self._away:
                        self._leave_out(one)
                        continue
                    running.append((one, pool.submit(self._reread, one)))
                    while running and self._has_enough(len(running)):
                        self._take(*running.popleft())
                self._finish(running)
            except BaseException:
                self._abandoned.set()
                raise
            finally:
                self._commit()
        self.summary.seconds = time.perf_counter() - began
        if self._is_over():
            self.summary.left = min(self._target - self.summary.read, len(self._ids) - self._handled)
            self.summary.stopped = self.summary.left > 0 and self.stop()
            self.summary.window_ended = self.summary.left > 0 and not self.summary.stopped
        self.emit(PhaseFinished(PHASE, self.summary.read, self.summary.seconds))

    def _files(self) -> Iterator[FileToProve]:
        for chunk in chunks(self._ids, _ROWS):
            with self.library.database.read() as connection:
                known = proofs.by_ids(connection, chunk)
            self._handled += len(chunk) - len(known)
            yield from (known[id_] for id_ in chunk if id_ in known)

    def _has_enough(self, running: int) -> bool:
        """Tell whether to wait for a file: both readers are busy, or the last that is wanted may be among those running.

        A file that turns out to be missing or changed is not read and counts for nothing.
        """
        return running > _READERS or self.summary.read + running >= self._target

    def _finish(self, running: deque[tuple[FileToProve, Future[Reread]]]) -> None:
        """Wait for the files that are being read; those that no reader has begun are left."""
        for one, future in running:
            if not (self._is_over() and future.cancel()):
                self._take(one, future)

    def _take(self, one: FileToProve, future: Future[Reread]) -> None:
        found = future.result()
        self._handled += 1
        if found.outcome in (Outcome.MISSING, Outcome.UNREADABLE) and not self._is_still_mounted(one.volume_id):
            self._handled -= 1
            self._leave_out(one)
        elif found.outcome is Outcome.GOOD or self._is_still_known(one):
            self._count(one, found)
        if len(self._made) >= _COMMIT_FILES or time.monotonic() - self._committed_at > _COMMIT_SECONDS:
            self._commit()
        self.emit(PhaseAdvanced(PHASE, self.summary.read, self.summary.bytes_read))

    def _count(self, one: FileToProve, found: Reread) -> None:
        summary = self.summary
        setattr(summary, found.outcome, getattr(summary, found.outcome) + 1)
        summary.bytes_read += found.read_bytes
        if found.outcome is not Outcome.MISSING:
            self._made.append((one, _proof(one, found)))
        if found.outcome is not Outcome.GOOD:
            copy = None
            if found.outcome in (Outcome.DAMAGED, Outcome.UNREADABLE):
                copy = self._proved_copy(one, found)
            summary.findings.append(
                Finding(found.outcome, self._path(one), found.detail, one.size_bytes, one.digest, copy)
            )

    def _proved_copy(self, one: FileToProve, found: Reread) -> bytes | None:
        """Return the path of another file with the right bytes, which are read before it is named; None if there is none."""
        with self.library.database.read() as connection:
            others = proofs.copies_of(connection, one)
        for other in others:
            if other.volume_id in self._away or not self._volumes[other.volume_id].online:
                continue
            read = self._reread(other)
            if read.outcome is Outcome.GOOD and read.inode != found.inode:  # another name of one file is no copy
                self._made.append((other, _proof(other, read)))
                return self._path(other)
        return None

    def _reread(self, one: FileToProve) -> Reread:
        known = Known(one.size_bytes, one.mtime_ns, one.digest)
        return reread(self._path(one), known, abandoned=self._abandoned.is_set)

    def _path(self, one: FileToProve) -> bytes:
        volume = self._volumes[one.volume_id]
        return join(volume.mounted_at or volume.row.mount_point, one.folder_path, one.name)

    def _is_still_mounted(self, volume_id: int) -> bool:
        known = self._volumes[volume_id]
        now = mount_with_identity(known.row.identity, near=known.mounted_at or known.row.mount_point)
        if now is None or now.point != known.mounted_at:
            self._away.add(volume_id)
        return volume_id not in self._away

    def _is_still_known(self, one: FileToProve) -> bool:
        """Return whether the file is still the one that was chosen: a scan may have read it again meanwhile."""
        with self.library.database.read() as connection:
            return proofs.by_ids(connection, [one.id]).get(one.id) == one

    def _leave_out(self, one: FileToProve) -> None:
        self._handled += 1
        self.summary.offline[self._volumes[one.volume_id].row.label] += 1

    def _commit(self) -> None:
        made, self._made = self._made, []
        self._committed_at = time.monotonic()
        if made:
            with self.library.database.write() as connection:
                proofs.record(connection, made)

    def _is_over(self) -> bool:
        seconds = self.request.window_seconds
        return self.stop() or (seconds is not None and seconds_since_boot() >= self.started + seconds)


def _proof(one: FileToProve, found: Reread) -> Proof:
    # What could not even be opened has the size and time that are known of it.
    size_bytes = one.size_bytes if found.size_bytes is None else found.size_bytes
    mtime_ns = one.mtime_ns if found.mtime_ns is None else found.mtime_ns
    return Proof(time.time(), str(found.outcome), found.digest, size_bytes, mtime_ns, found.detail)


def write_plan(findings: Iterable[Finding], target: Path) -> None:
    """Write what cures damaged originals as JSON lines; a `copy` of null: no other file has these bytes. Raises StorageFull."""
    write_whole(target, (_plan_line(one) for one in findings if one.outcome in (Outcome.DAMAGED, Outcome.UNREADABLE)))


def _plan_line(one: Finding) -> bytes:
    line = {
        "schema": 1,
        "path": to_text(one.path),
        "copy": None if one.copy is None else to_text(one.copy),
        "outcome": str(one.outcome),
        "size_bytes": one.size_bytes,
        "digest": one.digest.hex(),
    }
    return json.dumps(line).encode("ascii") + b"\n"
