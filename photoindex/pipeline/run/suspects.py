"""Finds the input that crashes its executor, by retrying the jobs that were running one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from photoindex.pipeline.run.executor import Job
from photoindex.types import Failure

CRASHING = "preview_crashes"
"""Error class of a content whose preview crashed the model process whenever it ran alone."""

_LOSSES_ALLOWED = 2
"""A process may end by chance (memory, the device) while it has a single input, but hardly twice with the same one."""


class Suspects:
    """The jobs that an executor had when it was lost, until each has been tried alone."""

    def __init__(self) -> None:
        self._untried: set[int] = set()
        self._losses: Counter[int] = Counter()

    @property
    def one_by_one(self) -> bool:
        """Whether the next job has to run alone."""
        return bool(self._untried)

    def find_bad_input(self, jobs: Sequence[Job], *, proven: bool) -> Job | None:
        """Return the job to quarantine after an executor was lost with `jobs`, if any; the others become suspects.

        proven: whether the executor was known to work; only then can a single job be the cause.
        """
        if not self.one_by_one:
            self._untried = {job.task_id for job in jobs}
        elif proven and len(jobs) == 1:
            (job,) = jobs
            self._losses[job.task_id] += 1
            return job if self._losses[job.task_id] >= _LOSSES_ALLOWED else None
        return None

    def clear(self, jobs: Iterable[Job]) -> None:
        """Clear finished jobs."""
        self._untried.difference_update(job.task_id for job in jobs)


def failure_of_crash(reason: str) -> Failure:
    """Return the failure of a quarantined input. reason: how the executor was lost, without a full stop."""
    return Failure(CRASHING, f"its preview alone made the model process fail {_LOSSES_ALLOWED} times: {reason}")
