"""The executor for untrusted files: isolated worker processes, one file per batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, Self

from photoindex.errors import PhotoIndexError, WorkersLost
from photoindex.pipeline.run.executor import Completed, Finished, Job
from photoindex.pipeline.workers import isolation
from photoindex.types import Failure, Limits

_LOST_WORKERS_ALLOWED = 20


class DecoderPool:
    """Runs `function(job.input)` in `count` worker processes.

    function: importable and picklable. If it raises a PhotoIndexError, the run ends; any other error is a failure of
    the input. stop: checked when a worker is lost, which is no error while the run is stopping.
    """

    name = "the pool of decoders"
    batch_size = 1
    runs_on = "cpu"

    def __init__(self, function: Callable[[Any], Any], *, count: int, limits: Limits, stop: Callable[[], bool]) -> None:
        self.batches_at_once = 2 * count
        self.opened_at: float | None = None
        self._function = function
        self._count = count
        self._limits = limits
        self._stop = stop
        self._stack = ExitStack()
        self._pool: isolation.WorkerPool | None = None
        self._running: dict[Future[Any], tuple[Job, float]] = {}
        self._lost = 0
        self._killed: set[int] = set()
        self._ended_by: PhotoIndexError | None = None

    def __enter__(self) -> Self:
        self._pool = self._stack.enter_context(isolation.workers(self._count, self._limits, low_priority=True))
        self.opened_at = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    @property
    def batches_running(self) -> int:
        """How many files have not been returned yet."""
        return len(self._running)

    @property
    def is_busy(self) -> bool:
        """Whether any file is in a worker or waiting for one."""
        return bool(self._running)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Schedule each job."""
        assert self._pool is not None
        for job in jobs:
            self._running[self._pool.submit(self._function, job.input)] = (job, time.monotonic())

    def collect(self, seconds: float) -> list[Completed]:
        """Return the finished files. Raises WorkersLost if workers are repeatedly killed externally."""
        if self._ended_by is not None:
            raise self._ended_by
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        completed = []
        for future in done:
            try:
                completed.append(self._completed(future, self._running.pop(future)[0]))
            except PhotoIndexError as error:
                # Raised by the next call: what ended beside it is finished work and gets committed.
                self._ended_by = self._ended_by or error
        if self._ended_by is not None and not completed:
            raise self._ended_by
        return completed

    def finish(self) -> None:
        """Do nothing: scheduled files are still finished, and the caller submits no more."""

    def restart(self) -> None:
        """Do nothing: the pool replaces lost workers by itself."""

    def output(self) -> str:
        """Return nothing: the output of decoders names no file and is discarded."""
        return ""

    def slowest(self) -> tuple[Job, float] | None:
        """Return the job that was scheduled first."""
        oldest = min(self._running.values(), key=lambda each: each[1], default=None)
        return None if oldest is None else (oldest[0], time.monotonic() - oldest[1])

    def _completed(self, future: Future[Any], job: Job) -> Completed:
        error = future.exception()
        if error is None:
            return Completed((Finished(job, future.result()),))
        if isolation.killed_externally(error):
            self._lost += 1
            too_often = self._lost > _LOST_WORKERS_ALLOWED or isinstance(error, BrokenProcessPool)
            if too_often and not self._stop():
                raise WorkersLost("the worker processes were killed from outside; finished work is kept, scan again")
            return Completed(returned=(job,))
        if isolation.was_killed(error) and job.subject_id not in self._killed:
            # The kernel's out-of-memory killer may choose any worker, so a file fails only the second time.
            self._killed.add(job.subject_id)
            return Completed(returned=(job,))
        if isinstance(error, PhotoIndexError):
            raise error
        failure = isolation.failure_of(error, self._limits)
        if failure is None:
            # A bug, here or in a decoder: record it for this file and continue the run.
            failure = Failure("unexpected", f"{type(error).__name__}: {error}"[:500])
        return Completed((Finished(job, failure=failure),))
