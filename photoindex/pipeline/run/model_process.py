"""The executor of a stage with a model: one process of this computer, started again when it is lost."""

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
from photoindex.types import Failure

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_JOIN_SECONDS = 20.0
_TAIL_BYTES = 2000
_OPENING_SECONDS = 600.0
"""A large model on a slow disk is hashed and loaded for minutes."""
_HANG_SECONDS = 600.0
_HANG_INPUTS = 128


class ModelProcess:
    """One process with an opened stage; it ends with its parent, however that ends.

    hang_seconds: how long a batch may take before the process counts as hanging: ten minutes by default, longer for
    batches of more than 128 inputs. A job's input is the path of its preview.
    """

    batches_at_once = 3
    """One in the model, one decoded and waiting, one being decoded: the model waits neither for inputs nor for commits."""

    def __init__(self, settings: ProcessSettings, *, hang_seconds: float | None = None) -> None:
        longer = max(1.0, settings.batch_size / _HANG_INPUTS)
        self.batch_size = settings.batch_size
        self.runs_on = ""
        self.opened_at: float | None = None
        self._settings = settings
        self._hang_seconds = _HANG_SECONDS * longer if hang_seconds is None else hang_seconds
        self._patience_seconds = 0.0
        self._heard_at = 0.0
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
        """How many batches have not come back."""
        return len(self._running)

    @property
    def is_busy(self) -> bool:
        """Whether batches are out, or the process is ending."""
        return bool(self._running) or self._finishing

    def submit(self, jobs: Sequence[Job]) -> None:
        """Send a batch. Raises ExecutorLost."""
        if not self._running:
            self._heard_at = time.monotonic()  # an idle process owes no answer
        self._numbers += 1
        self._running[self._numbers] = tuple(jobs)
        self._send(Batch(self._numbers, tuple(job.input for job in jobs)))

    def collect(self, seconds: float) -> list[Completed]:
        """Return the batch that came back, if any. Raises ExecutorLost, and what the process refuses to go on with."""
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
            self._patience_seconds = self._hang_seconds
        elif isinstance(message, Refused):
            raise message.error
        elif isinstance(message, Lost):
            raise self._lost(message.reason)
        return []

    def finish(self) -> None:
        """Tell the process to end after the batch that the model is at. Raises ExecutorLost."""
        if not self._finishing and self._connection is not None and not self._connection.closed:
            self._finishing = True
            self._send(Finish())

    def restart(self) -> None:
        """Replace the process; the new one shows that it works before it takes a batch."""
        self._kill()
        self._close()
        self._start(replace(self._settings, prove=True))

    def output(self) -> str:
        """Return the end of what libraries printed in the process."""
        with contextlib.suppress(OSError):
            return self._settings.stderr.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
        return ""

    def slowest(self) -> None:
        """Return nothing: a batch is no single input."""

    def _start(self, settings: ProcessSettings) -> None:
        import multiprocessing

        from photoindex.pipeline.run.model_worker import work

        self.opened_at = None
        self._patience_seconds = max(self._hang_seconds, _OPENING_SECONDS)
        # A new interpreter: a GPU's runtime does not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, settings), name="photoindex-model", daemon=True)
        # What is blocked now stays so in the process: Ctrl-C is the parent's business from its first moment on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._heard_at = time.monotonic()

    def _send(self, message: ToProcess) -> None:
        assert self._connection is not None
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost(self._reason_of_end()) from error

    def _receive(self, seconds: float) -> FromProcess | None:
        assert self._connection is not None
        if not connections.wait([self._connection], timeout=seconds):
            if time.monotonic() - self._heard_at > self._patience_seconds:
                raise self._lost(f"nothing was heard of it for {self._patience_seconds:g} s")
            return None
        try:
            message: FromProcess = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost(self._reason_of_end()) from error
        self._heard_at = time.monotonic()
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
        """Kill what is left of the process and return the error to raise, with all jobs that it had."""
        jobs = [job for batch in self._running.values() for job in batch]
        self._running.clear()
        self._kill()
        return ExecutorLost(reason, jobs)

    def _reason_of_end(self) -> str:
        self._process.join(_JOIN_SECONDS)
        code = self._process.exitcode
        if code is None:
            return "it closed its connection"
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            return f"it was ended by signal {name}"
        return f"it ended with exit code {code}"

    def _kill(self) -> None:
        self._process.kill()
        self._process.join()

    def _close(self) -> None:
        """Let the process end; one that does not is killed."""
        assert self._connection is not None
        self._connection.close()
        self._process.join(_JOIN_SECONDS)
        if self._process.is_alive():
            self._kill()
