"""The runner of all stages: claims tasks, keeps an executor busy, commits results with task states, stops cleanly."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from photoindex.errors import DeviceFailed
from photoindex.paths import display
from photoindex.pipeline.run.executor import Completed, Executor, ExecutorLost, Finished, Job
from photoindex.pipeline.run.suspects import Suspects, failure_of_crash
from photoindex.pipeline.run.work import FailedTask, Recorded, Work, Writable
from photoindex.progress import EventSink, FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.stages import command_of
from photoindex.store.night import measurements
from photoindex.store.tasks import queue

MAX_ATTEMPTS = 3
"""A temporary failure (permission, I/O error) is tried in this many runs before its task is quarantined."""
RESTARTS_ALLOWED = 3
"""Restarts of an executor in a row, without a finished task in between."""
_LEASE_SECONDS = 3600.0
_COLLECT_SECONDS = 0.25
_COMMIT_SECONDS = 2.0
_SLOW_SECONDS = 5.0


@dataclass(slots=True)
class RunTally:
    """What a run has done so far.

    done: tasks finished, successfully or not. retried: those of them that had been tried before. steps: seconds by step, summed over threads. busy_seconds: wall time from
    when the executor was ready to the last commit. smallest_batch: how many subjects ran at once when the least memory
    was free, None before the first batch.
    """

    done: int = 0
    succeeded: int = 0
    failed: int = 0
    quarantined: int = 0
    retried: int = 0
    batches: int = 0
    restarts: int = 0
    steps: dict[str, float] = field(default_factory=dict)
    busy_seconds: float = 0.0
    smallest_batch: int | None = None
    runs_on: str = ""

    def add(self, step: str, seconds: float) -> None:
        """Add to the seconds of a step."""
        self.steps[step] = self.steps.get(step, 0.0) + seconds

    def copy(self) -> RunTally:
        """Return the tally as it is now."""
        return replace(self, steps=dict(self.steps))


@dataclass(slots=True)
class Runner:
    """One run over the pending tasks of a stage.

    stop: checked between batches; what is running is still finished. limit: maximum number of tasks to claim.
    committed: called after each commit with the number of tasks that succeeded so far. log: gets one line per batch, if
    given. model: shown while the executor loads it, empty if it loads none.
    """

    database: Writable
    work: Work
    executor: Executor
    emit: EventSink
    stop: Callable[[], bool]
    limit: int | None = None
    log: logging.Logger | None = None
    model: str = ""
    committed: Callable[[int], None] = lambda _succeeded: None
    owner: str = field(default_factory=queue.new_owner)
    tally: RunTally = field(default_factory=RunTally)
    _waiting: deque[Job] = field(default_factory=deque)
    _completed: list[Completed] = field(default_factory=list)
    _results: int = 0
    _suspects: Suspects = field(default_factory=Suspects)
    _proven: bool = False
    _losses: int = 0
    _claimed: int = 0
    _cursors: dict[int, int] = field(default_factory=dict)
    _exhausted: bool = False
    _committed_at: float = 0.0
    _write_seconds: float | None = None
    _loading_since: float | None = None

    def run(self, total: int) -> None:
        """Run up to `total` tasks.

        If the executor is lost, its jobs are retried one by one, and an input that crashes it alone is quarantined.
        Raises DeviceFailed if it is lost repeatedly without progress, and StorageFull, WorkersLost or ModelUnavailable.
        Finished work is committed; the rest is pending again.
        """
        started = time.perf_counter()
        self.emit(PhaseStarted(self.work.phase, total, self.work.unit))
        try:
            with self.executor:
                self._show_loading()
                for priorities in self.work.passes:
                    self._drain(priorities)
        finally:
            self._commit()
            self.tally.runs_on = self.executor.runs_on
            with self.database.write() as connection:
                self._note_write(connection)
                queue.give_back(connection, owner=self.owner)
        self.emit(PhaseFinished(self.work.phase, self.tally.done, time.perf_counter() - started))

    def _drain(self, priorities: Sequence[int]) -> None:
        self._cursors, self._exhausted = dict.fromkeys(priorities, 0), False
        last_commit = time.monotonic()
        while True:
            try:
                if self.stop():
                    self._waiting.clear()
                    self.executor.finish()
                else:
                    self._fill()
                if not self.executor.is_busy and not self._completed:
                    return
                self._collect()
                self._show_loading()
            except ExecutorLost as lost:
                if self.stop():
                    return
                self._restart_or_fail(lost)
            overdue = time.monotonic() - last_commit > _COMMIT_SECONDS
            if self._results >= self.work.commit_size or overdue or not self.executor.is_busy:
                self._commit()
                last_commit = time.monotonic()
            self._report()

    def _fill(self) -> None:
        """Submit batches until the executor has enough or no task is left; suspects run alone."""
        alone = self._suspects.one_by_one
        size = 1 if alone else self.executor.batch_size
        while self.executor.batches_running < (1 if alone else self.executor.batches_at_once):
            if not self._waiting:
                self._claim()
            batch = [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]
            if not batch:
                return
            self.executor.submit(batch)

    def _claim(self) -> None:
        """Claim tasks until there are jobs, no task is left, or the limit is reached."""
        while not self._waiting and not self._exhausted:
            size = self.work.claim_size
            if self.limit is not None:
                size = min(size, self.limit - self._claimed)
            claimed = []
            if size > 0:
                with self.database.write() as connection:
                    claimed = self._claim_by_priority(connection, size)
                    self._waiting.extend(self.work.jobs(connection, claimed))
            self._claimed += len(claimed)
            self._exhausted = not claimed

    def _claim_by_priority(self, connection: Connection, size: int) -> list[queue.Claimed]:
        claimed: list[queue.Claimed] = []
        subjects = self.work.subjects()
        for priority, cursor in self._cursors.items():
            if len(claimed) == size:
                break
            wanted = queue.ClaimRequest(
                stage=self.work.stage, priority=priority, limit=size - len(claimed), lease_seconds=_LEASE_SECONDS,
                after_id=cursor, subjects=subjects, variant_id=None if subjects is not None else self.work.variant_id,
            )  # fmt: skip
            found = queue.claim(connection, wanted, owner=self.owner)
            if found:
                self._cursors[priority] = found[-1].id
            claimed += found
        return claimed

    def _collect(self) -> None:
        for completed in self.executor.collect(_COLLECT_SECONDS):
            self._completed.append(completed)
            self._results += len(completed.finished)
            self._waiting.extend(completed.returned)

    def _show_loading(self) -> None:
        """Report that the executor begins, or has ended, to load its model."""
        if not self.model:
            return
        loaded, now = self.executor.opened_at is not None, time.perf_counter()
        if not loaded and self._loading_since is None:
            self._loading_since = now
            self.emit(PhaseStarted(f"loading {self.model}", None, unit=""))
        elif loaded and self._loading_since is not None:
            self.emit(PhaseFinished(f"loading {self.model}", 1, now - self._loading_since))
            self._loading_since = None

    def _commit(self) -> None:
        completed, self._completed = self._completed, []
        finished = [each for batch in completed for each in batch.finished]
        self._results = 0
        if not finished:
            return
        started = time.perf_counter()
        self.work.prepare(finished)
        prepared = time.perf_counter()
        with self.database.write() as connection:
            self._note_write(connection)
            recorded = self.work.record(connection, finished, owner=self.owner)
            queue.finish(connection, owner=self.owner, variant_id=self.work.variant_id, done=recorded.done)
            for failed in recorded.failed:
                self._fail(connection, failed)
        write_seconds = time.perf_counter() - started
        self._write_seconds = time.perf_counter() - prepared
        self._waiting.extendleft(recorded.again)
        self._suspects.clear(each.job for each in finished)
        self._proven, self._losses = True, 0
        self._count(completed, recorded, write_seconds)
        self._log(completed, write_seconds)
        for failed in recorded.failed:
            if self.work.announces_failures or _is_final(failed):
                self.emit(FileQuarantined(failed.path or b"", failed.failure.error_class, failed.failure.message))
        for each in recorded.quarantined:
            self.emit(each)
        self.committed(self.tally.succeeded)

    def _note_write(self, connection: Connection) -> None:
        """Store how long the last commit took, in the transaction of the next: one of its own would be a second commit."""
        seconds, self._write_seconds = self._write_seconds, None
        if seconds is not None:
            measurements.record(connection, measurements.WRITE, seconds)

    def _fail(self, connection: Connection, failed: FailedTask) -> None:
        queue.fail(
            connection, failed.job.task_id, owner=self.owner, failure=failed.failure, seconds=failed.seconds,
            final=_is_final(failed),
        )  # fmt: skip

    def _count(self, completed: Sequence[Completed], recorded: Recorded, write_seconds: float) -> None:
        tally = self.tally
        given_up = sum(map(_is_final, recorded.failed))
        finished = sum(len(batch.finished) for batch in completed)
        tally.done += finished - len(recorded.again) - recorded.forgotten
        tally.succeeded += len(recorded.done)
        tally.failed += len(recorded.failed) - given_up
        tally.quarantined += given_up + len(recorded.quarantined)
        tally.retried += sum(each.job.attempts > 1 for batch in completed for each in batch.finished)
        tally.batches += len(completed)
        tally.add("write", write_seconds)
        for batch in completed:
            for step, seconds in batch.steps.items():
                tally.add(step, seconds)
            tally.smallest_batch = min(tally.smallest_batch or batch.largest, batch.largest)
        now = time.perf_counter()
        if self.executor.opened_at is not None:
            tally.busy_seconds += now - max(self._committed_at, self.executor.opened_at)
        self._committed_at = now

    def _log(self, completed: Sequence[Completed], write_seconds: float) -> None:
        if self.log is None:
            return
        for number, batch in enumerate(completed, start=self.tally.batches - len(completed) + 1):
            seconds = {f"{name}_seconds": round(value, 4) for name, value in batch.steps.items()}
            failures = sum(each.failure is not None for each in batch.finished)
            self.log.info(
                "batch",
                extra={
                    "action": self.work.stage, "batch": number, "pictures": len(batch.finished) - failures,
                    "failed": failures, "largest": batch.largest, **seconds,
                    "write_seconds": round(write_seconds / len(completed), 4),
                },
            )  # fmt: skip

    def _report(self) -> None:
        slowest = self.executor.slowest()
        slow = display(self.work.path_of(slowest[0])) if slowest is not None and slowest[1] >= _SLOW_SECONDS else ""
        self.emit(PhaseAdvanced(self.work.phase, self.tally.done + self._results, self.work.bytes_read, slow))

    def _restart_or_fail(self, lost: ExecutorLost) -> None:
        """Restart the executor. Raises DeviceFailed if it was lost too often."""
        proven = self._proven or (self.tally.restarts > 0 and self.executor.opened_at is not None)
        if self.log is not None:
            extra = {"action": self.work.stage, "printed": self.executor.output()}
            self.log.warning("worker lost: %s", lost, extra=extra)
        bad_input = self._suspects.find_bad_input(lost.jobs, proven=proven)
        self._waiting.extendleft(reversed([job for job in lost.jobs if job is not bad_input]))
        if bad_input is not None:
            finished = Finished(bad_input, failure=failure_of_crash(str(lost)))
            self._completed.append(Completed((finished,), largest=self.executor.batch_size))
        self._commit()
        self._proven = False
        self._losses += 1
        if self._losses > RESTARTS_ALLOWED:
            raise DeviceFailed(
                f"{self.executor.name} was lost {self._losses} times, most recently because {lost}; finished work is "
                f"kept. See: photoindex {command_of(self.work.stage)} --help (--device, --batch-size) and the library's log"
            ) from lost
        self.tally.restarts += 1
        self.emit(
            Notice(
                f"{self.executor.name} was lost ({lost}); restarting it ({self._losses} of {RESTARTS_ALLOWED} times in "
                f"a row) and retrying its pictures one by one",
                "warning",
            )
        )
        self.executor.restart()


def _is_final(failed: FailedTask) -> bool:
    return not failed.failure.retry or failed.job.attempts >= MAX_ATTEMPTS
