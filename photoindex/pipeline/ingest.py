"""Running the ingest stage: claim files, keep the workers busy, commit outcomes in batches, stop cleanly."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from photoindex.errors import StorageFull
from photoindex.events import EventSink, FileQuarantined, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.paths import display
from photoindex.pipeline.commit import Committer, Quarantined
from photoindex.pipeline.isolation import WorkerPool, failure_of, workers
from photoindex.pipeline.worker import DerivedUnwritable, FileJob, Outcome, take_in
from photoindex.store import files, staging, tasks
from photoindex.store.database import Session
from photoindex.types import DerivedParams, Failure, Limits

PHASE = "reading"
_LEASE_SECONDS = 3600.0
_COMMIT_SECONDS = 2.0
_SLOW_FILE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How files are taken in: `jobs` worker processes, commits of `batch_size` files."""

    jobs: int
    batch_size: int
    derived_folder: Path
    params: DerivedParams
    limits: Limits
    derive: bool
    force: bool = False


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
    _running: dict[Future[Outcome], tuple[FileJob, float]] = field(default_factory=dict)
    _cursor: tuple[int, int] = (-1, 0)

    def run(self, total: int) -> None:
        """Work off the list: first every new path, then every changed file, so that moves are recognised.

        Raises StorageFull when the disk of the library or of the derived files is full; what is committed stays.
        """
        started = time.perf_counter()
        self.emit(PhaseStarted(PHASE, total))
        try:
            with workers(self.settings.jobs, self.settings.limits) as pool:
                for priority in (staging.NEW_FILES_FIRST, staging.CHANGED_FILES_NEXT):
                    self._drain(pool, priority)
        finally:
            with self.session.write() as connection:
                tasks.give_back(connection, owner=self.committer.owner)
        self.emit(PhaseFinished(PHASE, self.done, time.perf_counter() - started))

    def _drain(self, pool: WorkerPool, priority: int) -> None:
        self._cursor = (-1, 0)
        finished: list[Outcome] = []
        last_commit = time.monotonic()
        exhausted = False
        while True:
            stopping = self.stop()
            if stopping:
                self._queue.clear()
            else:
                exhausted = self._fill(pool, priority, exhausted=exhausted)
            if not self._running and not finished:
                return
            finished.extend(self._collect())
            due = len(finished) >= self.settings.batch_size or time.monotonic() - last_commit > _COMMIT_SECONDS
            if finished and (due or not self._running):
                self._commit(finished)
                finished = []
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
            wanted = tasks.Wanted(
                stage="ingest", limit=max(settings.batch_size, settings.jobs * 2), lease_seconds=_LEASE_SECONDS,
                after=self._cursor, subjects=staging.work_subjects(), priority=priority,
            )  # fmt: skip
            claimed = tasks.claim(connection, wanted, owner=self.committer.owner)
            rows = files.by_ids(connection, [each.subject_id for each in claimed])
        for each in claimed:
            row = rows[each.subject_id]
            self._queue.append(
                FileJob(
                    file_id=row.id, task_id=each.id, attempts=each.attempts + 1, path=row.path, name=row.name,
                    derived_folder=settings.derived_folder, params=settings.params, limits=settings.limits,
                    derive=settings.derive, force=settings.force,
                )
            )  # fmt: skip
        if claimed:
            self._cursor = (claimed[-1].priority, claimed[-1].id)
        return bool(claimed)

    def _collect(self) -> list[Outcome]:
        done, _ = wait(self._running, timeout=0.5, return_when=FIRST_COMPLETED)
        outcomes = []
        for future in done:
            job, _started = self._running.pop(future)
            outcomes.append(self._outcome(future, job))
        self.done += len(done)
        tally = self.committer.tally
        self.emit(PhaseAdvanced(PHASE, self.done, tally.bytes, self._slow()))
        return outcomes

    def _outcome(self, future: Future[Outcome], job: FileJob) -> Outcome:
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, DerivedUnwritable):
            raise StorageFull(
                f"previews cannot be written ({error}); free some space and run the command again"
            ) from error
        failure = failure_of(error, self.settings.limits)
        if failure is None:
            # A bug of ours or of a decoder's on this one file: the file is named and the run goes on.
            failure = Failure("unexpected", f"{type(error).__name__}: {error}"[:500])
        return Outcome(job, failure=failure)

    def _slow(self) -> str:
        oldest = min(self._running.values(), key=lambda each: each[1], default=None)
        if oldest is None or time.monotonic() - oldest[1] < _SLOW_FILE_SECONDS:
            return ""
        return display(oldest[0].path)

    def _commit(self, outcomes: list[Outcome]) -> None:
        again: list[FileJob] = []
        quarantined: list[Quarantined] = []
        with self.session.write() as connection:
            for outcome in outcomes:
                result = self.committer.record(connection, outcome)
                if isinstance(result, FileJob):
                    again.append(result)
                elif result is not None:
                    quarantined.append(result)
        self._queue.extendleft(again)
        self.done -= len(again)
        for each in quarantined:
            self.emit(FileQuarantined(each.path, each.error_class, each.message))
