"""What the runner asks of a stage's work: its tasks as jobs, and its results as rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from photoindex.pipeline.run.executor import Finished, Job
from photoindex.progress import FileQuarantined
from photoindex.store.tasks.queue import Claimed, Subjects
from photoindex.types import Failure


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task whose subject could not be done. path: of its file, for people; None where it has none any more."""

    job: Job
    failure: Failure
    path: bytes | None
    seconds: float = 0.0


@dataclass(slots=True)
class Recorded:
    """What a batch's rows came to.

    done: task id and seconds of what succeeded. failed: what the runner marks failed or quarantined. again: jobs that run
    once more. quarantined: what the work itself has marked as given up.
    """

    done: list[tuple[int, float]] = field(default_factory=list)
    failed: list[FailedTask] = field(default_factory=list)
    again: list[Job] = field(default_factory=list)
    quarantined: list[FileQuarantined] = field(default_factory=list)


class Work(Protocol):
    """The tasks of one stage and variant, as one run works them off."""

    @property
    def stage(self) -> str:
        """The stage's name in the task table."""
        ...

    @property
    def variant_id(self) -> int:
        """The variant that tasks are finished for."""
        ...

    @property
    def phase(self) -> str:
        """The title of the progress bar."""
        ...

    @property
    def unit(self) -> str:
        """What the progress bar counts."""
        ...

    @property
    def passes(self) -> Sequence[Sequence[int]]:
        """Groups of priorities; a group is worked off wholly before the next one begins."""
        ...

    @property
    def claim_size(self) -> int:
        """How many tasks are claimed at once."""
        ...

    @property
    def commit_size(self) -> int:
        """How many results make a commit due."""
        ...

    @property
    def announces_failures(self) -> bool:
        """Whether failures that the next run tries again are reported as they happen, too."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes of originals read so far."""
        ...

    def subjects(self) -> Subjects | None:
        """Return the subjects that may be claimed; None where the variant's tasks are all meant."""
        ...

    def jobs(self, connection: Connection, claimed: Sequence[Claimed]) -> list[Job]:
        """Return the jobs of claimed tasks; subjects that are gone are left out."""
        ...

    def path_of(self, job: Job) -> bytes:
        """Return the path of the job's file, for people; empty where it is not known."""
        ...

    def prepare(self, finished: Sequence[Finished]) -> None:
        """Get ready to record these results; called before the transaction."""
        ...

    def record(self, connection: Connection, finished: Sequence[Finished], *, owner: str) -> Recorded:
        """Write the results of tasks that `owner` still holds; inside the transaction that ends the tasks."""
        ...


class Writable(Protocol):
    """Gives write transactions: a database, or one session with its temporary tables."""

    def write(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a write transaction."""
        ...
