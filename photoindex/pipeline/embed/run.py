"""Running the embed stage: claim contents, keep the model busy, commit vectors with the state of their tasks, stop cleanly."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.pipeline.embed.commit import BatchCommitter
from photoindex.pipeline.embed.messages import (
    Batch,
    Encoded,
    Finish,
    FromWorker,
    Job,
    Lost,
    Opened,
    Refused,
    WorkerSettings,
)
from photoindex.pipeline.embed.process import EmbedProcess, WorkerLost
from photoindex.pipeline.embed.suspects import Suspects, failure_of_crash
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.progress import EventSink, FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.database import Database
from photoindex.store.tasks import embed_tasks, queue
from photoindex.store.vectors.spaces import SpaceRow

PHASE = "embedding"
RESTARTS_BORNE = 3
"""In a row, with nothing worked off between them."""
BATCHES_IN_FLIGHT = 3
"""One in the model, one decoded and waiting, one being decoded: the model waits neither for pixels nor for commits."""
_LEASE_SECONDS = 3600.0
_LISTEN_SECONDS = 0.25
_HANG_SECONDS = 600.0
_HANG_PICTURES = 128

Step = Literal["read", "decode", "infer", "write"]


@dataclass(frozen=True, slots=True)
class EmbedSettings:
    """How contents are embedded: at most `limit` of them, `worker.batch_size` at a time.

    hang_seconds: how long a batch may take before its process counts as hanging.
    """

    worker: WorkerSettings
    derived_folder: Path
    limit: int | None = None
    hang_seconds: float | None = None

    @property
    def patience_seconds(self) -> float:
        """How long to wait for a sign of life: ten minutes, longer for batches beyond 128 pictures."""
        longer = max(1.0, self.worker.batch_size / _HANG_PICTURES)
        return self.hang_seconds if self.hang_seconds is not None else _HANG_SECONDS * longer


@dataclass(slots=True)
class EmbedTally:
    """What came of a run so far; seconds by step: read and decode are summed over the threads.

    wait: what the model waited for pixels. busy: wall time from the first batch begun to the last one committed.
    smallest_batch: pictures that the model took at a time when memory was shortest, None before the first batch.
    """

    embedded: int = 0
    quarantined: int = 0
    failed: int = 0
    batches: int = 0
    restarts: int = 0
    read_seconds: float = 0.0
    decode_seconds: float = 0.0
    infer_seconds: float = 0.0
    write_seconds: float = 0.0
    wait_seconds: float = 0.0
    busy_seconds: float = 0.0
    smallest_batch: int | None = None
    runs_on: str = ""

    @property
    def done(self) -> int:
        """How many contents were worked off, well or not."""
        return self.embedded + self.quarantined + self.failed

    def bottleneck(self, decode_threads: int) -> Step | None:
        """Return the step that was busy longest, with the threads that share it; None where nothing was done."""
        busy: dict[Step, float] = {
            "infer": self.infer_seconds,
            "read": self.read_seconds / decode_threads,
            "decode": self.decode_seconds / decode_threads,
            "write": self.write_seconds,
        }
        return max(busy.items(), key=lambda each: each[1])[0] if self.batches else None


@dataclass(slots=True)
class Embedding:
    """One run over the pending tasks of a space.

    stop: asked between batches; the model's running batch still finishes. committed: told after each commit how many
    vectors there are in all.
    """

    database: Database
    settings: EmbedSettings
    space: SpaceRow
    owner: str
    emit: EventSink
    log: logging.Logger
    stop: Callable[[], bool]
    committed: Callable[[int], None] = lambda _vectors: None
    tally: EmbedTally = field(default_factory=EmbedTally)
    _process: EmbedProcess | None = None
    _in_flight: dict[int, tuple[Job, ...]] = field(default_factory=dict)
    _suspects: Suspects = field(default_factory=Suspects)
    _sound: bool = False
    _losses: int = 0
    _numbers: int = 0
    _claimed: int = 0
    _cursors: dict[int, int] = field(default_factory=dict)
    _began: float | None = None
    _finishing: bool = False

    def run(self, total: int) -> None:
        """Work off up to `total` tasks, with a new process each time that one is lost.

        After a loss the pictures that were lost are tried one by one, and one that ends the process by itself is given up.
        Raises DeviceFailed where it was lost again and again with nothing done or the device is not there,
        ModelUnavailable, StorageFull; what is finished is committed and stays, the rest is pending again.
        """
        started = time.perf_counter()
        self.emit(PhaseStarted(PHASE, total, "pictures"))
        while True:
            try:
                self._attempt()
                break
            except WorkerLost as lost:
                if self.stop():
                    break
                self._bear(lost)
        self.emit(PhaseFinished(PHASE, self.tally.done, time.perf_counter() - started))

    def _attempt(self) -> None:
        """Run one process until nothing is left or it is time to stop. Raises WorkerLost."""
        again = self.tally.restarts > 0
        self._sound = False
        worker = replace(self.settings.worker, prove=again)
        self._process = EmbedProcess(worker, hang_seconds=self.settings.patience_seconds)
        try:
            while True:
                if self.stop() and not self._finishing:
                    self._finishing = True
                    self._process.send(Finish())
                if not self._finishing:
                    self._fill(self._process)
                if not self._in_flight and not self._finishing:
                    return
                if not self._listen(self._process):
                    return
        except WorkerLost as lost:
            self._process.kill()
            self._accuse(lost)
            raise
        except BaseException:
            self._process.kill()
            raise
        finally:
            self._process.close()
            with self.database.write() as connection:
                queue.give_back(connection, owner=self.owner)

    def _listen(self, process: EmbedProcess) -> bool:
        """Take the next message; return False when the process ended as it was told to."""
        try:
            message = process.receive(_LISTEN_SECONDS)
        except WorkerLost:
            if self._finishing:
                return False
            raise
        if message is not None:
            self._take(message)
        return True

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Encoded):
            self._commit(message)
        elif isinstance(message, Opened):
            self._check(message)
        elif isinstance(message, Refused):
            raise message.error
        elif isinstance(message, Lost):
            raise WorkerLost(message.reason)

    def _check(self, opened: Opened) -> None:
        if opened.dim != self.space.dim:
            raise ModelUnavailable(
                f"the model '{self.space.model}' gives {opened.dim} numbers a vector, but its space '{self.space.name}' has "
                f"{self.space.dim}; see: photoindex models verify {self.space.model}"
            )
        self.tally.runs_on = opened.runs_on
        self._sound = self.tally.restarts > 0  # then it has embedded something before it said so
        self._began = time.perf_counter()

    def _fill(self, process: EmbedProcess) -> None:
        while len(self._in_flight) < (1 if self._suspects.one_by_one else BATCHES_IN_FLIGHT):
            jobs = self._claim()
            if not jobs:
                if not self._in_flight:
                    self._suspects.none_wait()
                return
            if not self._in_flight:
                process.expect()
            self._numbers += 1
            self._in_flight[self._numbers] = jobs
            process.send(Batch(self._numbers, jobs))

    def _claim(self) -> tuple[Job, ...]:
        limit = 1 if self._suspects.one_by_one else self.settings.worker.batch_size
        if self.settings.limit is not None:
            limit = min(limit, self.settings.limit - self._claimed)
        wanted = queue.Wanted(
            stage=embed_tasks.STAGE, priority=embed_tasks.FIRST, limit=limit, lease_seconds=_LEASE_SECONDS,
            variant_id=self.space.variant_id,
        )  # fmt: skip
        if limit <= 0:
            return ()
        claimed: list[queue.Claimed] = []
        with self.database.write() as connection:
            for priority in (embed_tasks.FIRST, embed_tasks.LATER):
                room = limit - len(claimed)
                cursor = self._cursors.get(priority, 0)
                more = replace(wanted, priority=priority, limit=room, after_id=cursor)
                found = queue.claim(connection, more, owner=self.owner) if room else []
                if found:
                    self._cursors[priority] = found[-1].id
                claimed += found
            known = embed_tasks.digests(connection, [one.subject_id for one in claimed])
        self._claimed += len(claimed)
        folder = self.settings.derived_folder
        return tuple(
            Job(one.id, str(preview_path(folder, known[one.subject_id]))) for one in claimed if one.subject_id in known
        )

    def _commit(self, encoded: Encoded) -> None:
        started = time.perf_counter()
        size = len(self._in_flight.pop(encoded.number))
        spent = encoded.seconds
        each = (spent.read + spent.decode + spent.infer) / max(1, size)
        committer = BatchCommitter(self.space, self.owner, each)
        with self.database.write() as connection:
            done = committer.record(connection, encoded)
        self._suspects.settled(size)
        self._sound, self._losses = True, 0
        tally = self.tally
        now = time.perf_counter()
        tally.embedded += done.embedded
        tally.quarantined += len(done.quarantined)
        tally.failed += done.failed
        tally.batches += 1
        tally.read_seconds += spent.read
        tally.decode_seconds += spent.decode
        tally.infer_seconds += spent.infer
        tally.wait_seconds += spent.wait
        tally.write_seconds += now - started
        tally.smallest_batch = min(tally.smallest_batch or encoded.largest, encoded.largest)
        if self._began is not None:
            tally.busy_seconds += now - self._began
            self._began = now
        self._tell(encoded, done.quarantined, write_seconds=now - started)
        self.committed(tally.embedded)

    def _tell(self, encoded: Encoded, quarantined: list[FileQuarantined], *, write_seconds: float) -> None:
        fields = {f"{name}_seconds": round(value, 4) for name, value in asdict(encoded.seconds).items()}
        fields["write_seconds"] = round(write_seconds, 4)
        self.log.info(
            "batch",
            extra={
                "action": "embed", "batch": encoded.number, "pictures": len(encoded.task_ids),
                "failed": len(encoded.failures), "largest": encoded.largest, **fields,
            },
        )  # fmt: skip
        for one in quarantined:
            self.emit(one)
        self.emit(PhaseAdvanced(PHASE, self.tally.done))

    def _accuse(self, lost: WorkerLost) -> None:
        """Look for the picture that a loss may be due to; give one up that is found."""
        given = [job for jobs in self._in_flight.values() for job in jobs]
        culprit = None if self.stop() else self._suspects.lost(given, sound=self._sound)
        if culprit is None:
            return
        import numpy as np

        failure = (culprit.task_id, failure_of_crash(str(lost)))
        (number,) = self._in_flight
        none = np.empty((0, self.space.dim), np.float16)
        self._commit(Encoded(number, (), none, (failure,), largest=self.settings.worker.batch_size))

    def _bear(self, lost: WorkerLost) -> None:
        """Get ready for a new process. Raises DeviceFailed where too many were lost."""
        printed = self._process.printed() if self._process is not None else ""
        self.log.warning("worker lost: %s", lost, extra={"action": "embed", "printed": printed})
        self._claimed -= sum(map(len, self._in_flight.values()))
        self._in_flight.clear()
        self._cursors.clear()
        self._began = None
        self._losses += 1
        if self._losses > RESTARTS_BORNE:
            raise DeviceFailed(
                f"the process with the model was lost {self._losses} times, last because {lost}; what is finished is kept. "
                f"See: photoindex embed --help (--device, --batch-size) and the library's log"
            ) from lost
        self.tally.restarts += 1
        self.emit(
            Notice(
                f"the process with the model was lost ({lost}); it is started again "
                f"({self._losses} of {RESTARTS_BORNE} times in a row), and what it had is tried one by one",
                "warning",
            )
        )
