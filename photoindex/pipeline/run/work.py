"""The protocol between the runner and a stage: tasks become jobs, results become rows."""

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
    """A task that failed. path: of its file, for messages; None if the file no longer exists."""

    job: Job
    failure: Failure
    path: bytes | None
    seconds: float = 0.0


@dataclass(slots=True)
class Recorded:
    """The result of recording a batch.

    done: task id and seconds of successful tasks. failed: tasks that the runner marks as failed or quarantined. again:
    jobs to run again. quarantined: files that the work itself has marked as quarantined. forgotten: how many subjects are
    no longer known or belong to another run, and count as nothing done.
    """

    done: list[tuple[int, float]] = field(default_factory=list)
    failed: list[FailedTask] = field(default_factory=list)
    again: list[Job] = field(default_factory=list)
    quarantined: list[FileQuarantined] = field(default_factory=list)
    forgotten: int = 0


class Work(Protocol):
    """The tasks of one stage and variant in one run."""

    @property
    def stage(self) -> str:
        """The stage's name in the task table."""
        ...

    @property
    def variant_id(self) -> int:
        """The variant of the tasks."""
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
        """Groups of priorities; a group is finished before the next one starts."""
        ...

    @property
    def claim_size(self) -> int:
        """How many tasks are claimed at once."""
        ...

    @property
    def commit_size(self) -> int:
        """After how many results a commit is due."""
        ...

    @property
    def announces_failures(self) -> bool:
        """Whether failures that the next run will retry are also reported when they happen."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes of originals read so far."""
        ...

    def subjects(self) -> Subjects | None:
        """Return the subjects that may be claimed; None means all tasks of the variant."""
        ...

    def jobs(self, connection: Connection, claimed: Sequence[Claimed]) -> list[Job]:
        """Return the jobs of claimed tasks, except for subjects that no longer exist."""
        ...

    def path_of(self, job: Job) -> bytes:
        """Return the path of the job's file, for messages; empty if unknown."""
        ...

    def prepare(self, finished: Sequence[Finished]) -> None:
        """Prepare for recording these results; called before the transaction."""
        ...

    def record(self, connection: Connection, finished: Sequence[Finished], *, owner: str) -> Recorded:
        """Write the results of tasks that `owner` still holds; called in the transaction that finishes the tasks."""
        ...


class Writable(Protocol):
    """Provides write transactions: a database, or a session with temporary tables."""

    def write(self) -> AbstractContextManager[Connection]:
        """Return a context manager for a write transaction; it yields the connection."""
        ...
