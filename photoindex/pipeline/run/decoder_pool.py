"""The executor of untrusted bytes: worker processes that a bad file cannot take the run down with, one file a batch."""

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
    """Runs `function(job.input)` in `count` worker processes; a function's result is whatever it returns.

    function: importable and picklable. A PhotoIndexError that it raises ends the run, any other error is a failure of the
    input. stop: asked when a worker is lost: while the run is stopping that is no trouble.
    """

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

    def __enter__(self) -> Self:
        self._pool = self._stack.enter_context(isolation.workers(self._count, self._limits, give_way=True))
        self.opened_at = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    @property
    def batches_running(self) -> int:
        """How many files were not returned yet."""
        return len(self._running)

    @property
    def is_busy(self) -> bool:
        """Whether any file is in a worker or waits for one."""
        return bool(self._running)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Schedule each job."""
        assert self._pool is not None
        for job in jobs:
            self._running[self._pool.submit(self._function, job.input)] = (job, time.monotonic())

    def collect(self, seconds: float) -> list[Completed]:
        """Return what ended. Raises WorkersLost where workers are ended from outside again and again."""
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        return [self._completed(future, self._running.pop(future)[0]) for future in done]

    def finish(self) -> None:
        """Do nothing: scheduled files still end, and nobody submits more."""

    def restart(self) -> None:
        """Do nothing: the pool replaces lost workers by itself."""

    def output(self) -> str:
        """Return nothing: what decoders print names no file and is thrown away."""
        return ""

    def slowest(self) -> tuple[Job, float] | None:
        """Return the job that was scheduled longest ago."""
        oldest = min(self._running.values(), key=lambda each: each[1], default=None)
        return None if oldest is None else (oldest[0], time.monotonic() - oldest[1])

    def _completed(self, future: Future[Any], job: Job) -> Completed:
        error = future.exception()
        if error is None:
            return Completed((Finished(job, future.result()),))
        if isolation.ended_from_outside(error):
            self._lost += 1
            too_often = self._lost > _LOST_WORKERS_ALLOWED or isinstance(error, BrokenProcessPool)
            if too_often and not self._stop():
                raise WorkersLost("the worker processes were ended from outside; what was finished is kept, scan again")
            return Completed(returned=(job,))
        if isolation.was_killed(error) and job.subject_id not in self._killed:
            # The kernel's out-of-memory killer may choose any worker: only a file that meets it twice is to blame.
            self._killed.add(job.subject_id)
            return Completed(returned=(job,))
        if isinstance(error, PhotoIndexError):
            raise error
        failure = isolation.failure_of(error, self._limits)
        if failure is None:
            # A bug of ours or of a decoder's on this one file: the file is named and the run goes on.
            failure = Failure("unexpected", f"{type(error).__name__}: {error}"[:500])
        return Completed((Finished(job, failure=failure),))
