"""What an executor is: where a batch runs, and how it reports failures of a subject and of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from photoindex.types import Failure


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed task. attempts: how often it was tried, this time included. input: what the executor is given."""

    task_id: int
    subject_id: int
    attempts: int
    input: Any


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one job: its result, or a failure that belongs to its subject. seconds: what it took."""

    job: Job
    result: Any = None
    failure: Failure | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Completed:
    """A batch that came back.

    returned: jobs that the executor could not run through a failure of its own; they run again, which is no attempt.
    steps: seconds by step (read, decode, wait, infer, …). largest: how many subjects ran at once at most.
    """

    finished: tuple[Finished, ...] = ()
    returned: tuple[Job, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)
    largest: int = 1


class ExecutorLost(Exception):
    """The executor failed as a whole and can be started again; the message says how. jobs: what it was given."""

    def __init__(self, reason: str, jobs: Sequence[Job] = ()) -> None:
        super().__init__(reason)
        self.jobs = tuple(jobs)


class Executor(Protocol):
    """Where batches run: decoder processes, a process with a model, later other hosts and cloud services.

    Used as a context: it starts on entry; on exit it lets what runs end, or ends it at once where an error passes.
    batch_size: subjects of one batch at most. batches_at_once: how many batches it takes before one comes back.
    runs_on: where it runs, for people. opened_at: `time.perf_counter` when it was ready, None before.
    """

    batch_size: int
    batches_at_once: int
    runs_on: str
    opened_at: float | None

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    @property
    def batches_running(self) -> int:
        """How many batches have not come back."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether `collect` has anything to wait for."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take a batch. Raises ExecutorLost."""
        ...

    def collect(self, seconds: float) -> list[Completed]:
        """Return the batches that came back, waiting up to `seconds` for the first.

        Raises ExecutorLost where it can be started again, a PhotoIndexError where that would not help.
        """
        ...

    def finish(self) -> None:
        """Take no more: end after what is running now."""
        ...

    def restart(self) -> None:
        """Start again after ExecutorLost; it proves that it works before it takes a batch."""
        ...

    def output(self) -> str:
        """Return the end of what libraries printed there, for the log."""
        ...

    def slowest(self) -> tuple[Job, float] | None:
        """Return the job that has been running longest and for how many seconds; None where that is not known."""
        ...
