"""Running the ingest stage: claim files, keep the workers busy, commit outcomes in batches, stop cleanly."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from photoindex.errors import StorageFull, WorkersLost
from photoindex.paths import display
from photoindex.pipeline.ingest.commit import Committer, Quarantined
from photoindex.pipeline.ingest.worker import DerivedUnwritable, FileJob, Outcome, take_in
from photoindex.pipeline.workers import isolation
from photoindex.pipeline.workers.isolation import WorkerPool, workers
from photoindex.progress import EventSink, FileQuarantined, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.database import Session
from photoindex.store.files import files
from photoindex.store.scan import staging
from photoindex.store.tasks import queue
from photoindex.types import DerivedParams, Failure, Limits

PHASE = "reading"
_LEASE_SECONDS = 3600.0
_COMMIT_SECONDS = 2.0
_SLOW_FILE_SECONDS = 5.0
_LOST_WORKERS_BORNE = 20


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How files are taken in: `jobs` worker processes, commits of `batch_size` files."""

    jobs: int
    batch_size: int
    derived_folder: Path
    params: DerivedParams
    limits: Limits
    derive: bool


@dataclass(slots=True)
class Ingestion:
    """One run over the work list of a scan; `stop` is asked between files, after which running ones still finish."""

    session: Session
    settings: IngestSettings
    committer: Committer
    emit: EventSink
    stop: Callable[[], bool]
    done: int = 0
    _queue: deque[FileJob] = field(default_factory=deque)
    _finished: list[Outcome] = field(default_factory=list)
    _running: dict[Future[Outcome], tuple[FileJob, float]] = field(default_factory=dict)
    _cursor: int = 0
    _lost: int = 0
    _killed: set[int] = field(default_factory=set)

    def run(self, total: int) -> None:
        """Work off the list: first every new path, then every changed file, so that moves are recognised.

        Raises StorageFull when the disk of the library or of the derived files is full, WorkersLost when the workers were
        ended from outside; what is finished is committed and stays.
        """
        started = time.perf_counter()
        self.emit(PhaseStarted(PHASE, total))
        try:
            with workers(self.settings.jobs, self.settings.limits, give_way=True) as pool:
                for priority in (staging.NEW_FILES_FIRST, staging.CHANGED_FILES_NEXT):
                    self._drain(pool, priority)
        finally:
            self._commit()
            with self.session.write() as connection:
                queue.give_back(connection, owner=self.committer.owner)
        self.emit(PhaseFinished(PHASE, self.done, time.perf_counter() - started))

    def _drain(self, pool: WorkerPool, priority: int) -> None:
        self._cursor = 0
        last_commit = time.monotonic()
        exhausted = False
        while True:
            if self.stop():
                self._queue.clear()
            else:
                exhausted = self._fill(pool, priority, exhausted=exhausted)
            if not self._running and not self._finished:
                return
            self._collect()
            due = len(self._finished) >= self.settings.batch_size or time.monotonic() - last_commit > _COMMIT_SECONDS
            if due or not self._running:
                self._commit()
                last_commit = time.monotonic()

    def _fill(self, pool: WorkerPool, priority: int, *, exhausted: bool) -> bool:
        """Keep twice as many files scheduled as there are workers; return whether the list is used up."""
        while len(self._running) < self.settings.jobs * 2:
            if not self._queue and (exhausted or not self._claim(priority)):
                return True
            job = self._queue.popleft()
            self._running[pool.submit(take_in, job)] = (job, time.monotonic())
        return exhausted

    def _claim(self, priority: int) -> bool:
        settings = self.settings
        with self.session.write() as connection:
            wanted = queue.Wanted(
                stage="ingest", priority=priority, limit=max(settings.batch_size, settings.jobs * 2),
                lease_seconds=_LEASE_SECONDS, after_id=self._cursor, subjects=staging.work_subjects(),
            )  # fmt: skip
            claimed = queue.claim(connection, wanted, owner=self.committer.owner)
            rows = files.by_ids(connection, [each.subject_id for each in claimed])
        for each in claimed:
            row = rows[each.subject_id]
            self._queue.append(
                FileJob(
                    file_id=row.id, task_id=each.id, attempts=each.attempts + 1, path=row.path, name=row.name,
                    derived_folder=settings.derived_folder, params=settings.params, limits=settings.limits,
                    derive=settings.derive,
                )
            )  # fmt: skip
        if claimed:
            self._cursor = claimed[-1].id
        return bool(claimed)

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            job, _started = self._running.pop(future)
            outcome = self._outcome(future, job)
            if outcome is not None:
                self._finished.append(outcome)
                self.done += 1
        self.emit(PhaseAdvanced(PHASE, self.done, self.committer.tally.bytes, self._slow()))

    def _outcome(self, future: Future[Outcome], job: FileJob) -> Outcome | None:
        """Return what came of a file; None where its worker was ended from outside, after which it is tried again."""
        error = future.exception()
        if error is None:
            return future.result()
        if isolation.ended_from_outside(error):
            self._lost += 1
            if self.stop():
                return None
            if self._lost > _LOST_WORKERS_BORNE or isinstance(error, BrokenProcessPool):
                raise WorkersLost("the worker processes were ended from outside; what was finished is kept, scan again")
            self._queue.append(job)
            return None
        if isolation.was_killed(error) and job.file_id not in self._killed:
            # The kernel short of memory kills whom it likes: only a file that is there again is to blame.
            self._killed.add(job.file_id)
            self._queue.append(job)
            return None
        if isinstance(error, DerivedUnwritable):
            raise StorageFull(
                f"previews cannot be written ({error}); free some space and run the command again"
            ) from error
        failure = isolation.failure_of(error, self.settings.limits)
        if failure is None:
            # A bug of ours or of a decoder's on this one file: the file is named and the run goes on.
            failure = Failure("unexpected", f"{type(error).__name__}: {error}"[:500])
        return Outcome(job, failure=failure)

    def _slow(self) -> str:
        oldest = min(self._running.values(), key=lambda each: each[1], default=None)
        if oldest is None or time.monotonic() - oldest[1] < _SLOW_FILE_SECONDS:
            return ""
        return display(oldest[0].path)

    def _commit(self) -> None:
        outcomes, self._finished = self._finished, []
        if not outcomes:
            return
        again: list[FileJob] = []
        quarantined: list[Quarantined] = []
        self.committer.prepare(outcomes)
        with self.session.write() as connection:
            for outcome in outcomes:
                result = self.committer.record(connection, outcome)
                if isinstance(result, FileJob):
                    again.append(result)
                elif result is not None:
                    quarantined.append(result)
            self.committer.finish_batch(connection)
        self._queue.extendleft(again)
        self.done -= len(again)
        for each in quarantined:
            self.emit(FileQuarantined(each.path, each.error_class, each.message))
