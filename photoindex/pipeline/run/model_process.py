"""The executor for stages with a model: one local process, which is restarted when it is lost."""

from __future__ import annotations

import contextlib
import multiprocessing.connection as connections
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from photoindex.pipeline.run.executor import Completed, ExecutorLost, Finished, Job
from photoindex.pipeline.run.messages import (
    Batch,
    BatchAnswer,
    Finish,
    FromProcess,
    Lost,
    Opened,
    ProcessSettings,
    Refused,
    ToProcess,
)
from photoindex.pipeline.workers.isolation import blocked_signals
from photoindex.types import Failure

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_JOIN_SECONDS = 20.0
_TAIL_BYTES = 2000
_OPENING_SECONDS = 600.0
"""Hashing and loading a large model from a slow disk takes minutes."""
_HANG_SECONDS = 600.0
_HANG_INPUTS = 128


class ModelProcess:
    """One process with an opened stage; it ends when its parent ends, even if the parent is killed.

    hang_seconds: how long a batch may take before the process is considered hung: by default ten minutes, longer for
    batches of more than 128 inputs. The input of a job is the path of its preview.
    """

    name = "the model process"
    batches_at_once = 3
    """One in the model, one decoded, one being decoded, so that the model waits neither for inputs nor for commits."""

    def __init__(self, settings: ProcessSettings, *, hang_seconds: float | None = None) -> None:
        longer = max(1.0, settings.batch_size / _HANG_INPUTS)
        self.batch_size = settings.batch_size
        self.runs_on = ""
        self.opened_at: float | None = None
        self._settings = settings
        self._hang_seconds = _HANG_SECONDS * longer if hang_seconds is None else hang_seconds
        self._timeout_seconds = 0.0
        self._last_message_at = 0.0
        self._running: dict[int, tuple[Job, ...]] = {}
        self._numbers = 0
        self._finishing = False
        self._connection: Connection[Any, Any] | None = None
        self._process: Any = None

    def __enter__(self) -> Self:
        self._start(self._settings)
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._kill()
        self._close()

    @property
    def batches_running(self) -> int:
        """How many batches have not been returned yet."""
        return len(self._running)

    @property
    def is_busy(self) -> bool:
        """Whether batches are running, or the process is ending."""
        return bool(self._running) or self._finishing

    def submit(self, jobs: Sequence[Job]) -> None:
        """Send a batch. Raises ExecutorLost."""
        if not self._running:
            self._last_message_at = time.monotonic()  # the time before was idle
        self._numbers += 1
        self._running[self._numbers] = tuple(jobs)
        self._send(Batch(self._numbers, tuple(job.input for job in jobs)))

    def collect(self, seconds: float) -> list[Completed]:
        """Return the completed batch, if any. Raises ExecutorLost, and the error of a process that cannot continue."""
        try:
            message = self._receive(seconds)
        except ExecutorLost:
            if not self._finishing:
                raise
            self._finishing = False
            self._running.clear()
            return []
        if isinstance(message, BatchAnswer):
            return [self._completed(message)]
        if isinstance(message, Opened):
            self.runs_on, self.opened_at = message.runs_on, time.perf_counter()
            self._timeout_seconds = self._hang_seconds
        elif isinstance(message, Refused):
            raise message.error
        elif isinstance(message, Lost):
            raise self._lost(message.reason)
        return []

    def finish(self) -> None:
        """Tell the process to end after the batch that the model is running. Raises ExecutorLost."""
        if not self._finishing and self._connection is not None and not self._connection.closed:
            self._finishing = True
            self._send(Finish())

    def restart(self) -> None:
        """Replace the process; the new one runs a self-test before it accepts a batch."""
        self._kill()
        self._close()
        self._start(replace(self._settings, prove=True))

    def output(self) -> str:
        """Return the last output of libraries in the process."""
        with contextlib.suppress(OSError):
            return self._settings.stderr.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
        return ""

    def slowest(self) -> None:
        """Return nothing: inputs run in batches, not one by one."""

    def _start(self, settings: ProcessSettings) -> None:
        import multiprocessing

        from photoindex.pipeline.run.model_worker import work

        self.opened_at = None
        self._timeout_seconds = max(self._hang_seconds, _OPENING_SECONDS)
        # Spawn, because GPU runtimes do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, settings), name="photoindex-model", daemon=True)
        with blocked_signals(signal.SIGINT, signal.SIGTERM):
            self._process.start()
        theirs.close()
        self._last_message_at = time.monotonic()

    def _send(self, message: ToProcess) -> None:
        assert self._connection is not None
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost(self._exit_reason()) from error

    def _receive(self, seconds: float) -> FromProcess | None:
        assert self._connection is not None
        if not connections.wait([self._connection], timeout=seconds):
            if time.monotonic() - self._last_message_at > self._timeout_seconds:
                raise self._lost(f"it did not respond for {self._timeout_seconds:g} s")
            return None
        try:
            message: FromProcess = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost(self._exit_reason()) from error
        self._last_message_at = time.monotonic()
        return message

    def _completed(self, answer: BatchAnswer) -> Completed:
        jobs = self._running.pop(answer.number)
        steps = answer.steps
        each = (steps["read"] + steps["decode"] + steps["infer"]) / max(1, len(jobs))
        finished = tuple(
            Finished(job, failure=outcome, seconds=each)
            if isinstance(outcome, Failure)
            else Finished(job, outcome, seconds=each)
            for job, outcome in zip(jobs, answer.outcomes, strict=True)
        )
        return Completed(finished, steps=steps, largest=answer.largest)

    def _lost(self, reason: str) -> ExecutorLost:
        """Kill the process and return the error to raise, with all jobs that it had."""
        jobs = [job for batch in self._running.values() for job in batch]
        self._running.clear()
        self._kill()
        return ExecutorLost(reason, jobs)

    def _exit_reason(self) -> str:
        self._process.join(_JOIN_SECONDS)
        code = self._process.exitcode
        if code is None:
            return "it closed its connection"
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            return f"it was killed by signal {name}"
        return f"it exited with code {code}"

    def _kill(self) -> None:
        self._process.kill()
        self._process.join()

    def _close(self) -> None:
        """Wait for the process to end, and kill it if it does not."""
        assert self._connection is not None
        self._connection.close()
        self._process.join(_JOIN_SECONDS)
        if self._process.is_alive():
            self._kill()
