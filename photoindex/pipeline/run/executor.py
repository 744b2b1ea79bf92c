"""The executor protocol: runs batches, and distinguishes failures of a subject from failures of the executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from photoindex.types import Failure


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed task. attempts: how often it was tried, including this time. input: passed to the executor."""

    task_id: int
    subject_id: int
    attempts: int
    input: Any


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of a job: its result, or a failure of its subject. seconds: how long it took."""

    job: Job
    result: Any = None
    failure: Failure | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed batch.

    returned: jobs that did not run because the executor failed; they are run again without counting an attempt. steps:
    seconds by step (read, decode, wait, infer, …). largest: the largest number of subjects that ran at once.
    """

    finished: tuple[Finished, ...] = ()
    returned: tuple[Job, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)
    largest: int = 1


class ExecutorLost(Exception):
    """The executor itself failed and can be restarted; the message is the reason. jobs: those it had."""

    def __init__(self, reason: str, jobs: Sequence[Job] = ()) -> None:
        super().__init__(reason)
        self.jobs = tuple(jobs)


class Executor(Protocol):
    """Runs batches in decoder processes or a model process, later on other hosts and in cloud services.

    A context manager: it starts on entry; on exit it waits for what is running, or ends it at once after an error.
    name: for messages: `the model process`. batch_size: maximum number of subjects per batch. batches_at_once: how many batches to keep running. runs_on:
    description for users. opened_at: `time.perf_counter` when it was ready, None before.
    """

    name: str
    batch_size: int
    batches_at_once: int
    runs_on: str
    opened_at: float | None

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    @property
    def batches_running(self) -> int:
        """How many batches have not been returned yet."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether `collect` has anything to wait for."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Accept a batch. Raises ExecutorLost."""
        ...

    def collect(self, seconds: float) -> list[Completed]:
        """Return the completed batches; wait up to `seconds` for the first.

        Raises ExecutorLost if it can be restarted, a PhotoIndexError if that would not help.
        """
        ...

    def finish(self) -> None:
        """Accept no more batches, and end after what is running now."""
        ...

    def restart(self) -> None:
        """Restart after ExecutorLost; it runs a self-test before it accepts a batch."""
        ...

    def output(self) -> str:
        """Return the last output of libraries, for the log."""
        ...

    def slowest(self) -> tuple[Job, float] | None:
        """Return the job that has been running longest and for how many seconds, None if unknown."""
        ...
