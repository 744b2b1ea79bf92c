"""Finding the input that ends its executor: what was running when it was lost is tried again one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from photoindex.pipeline.run.executor import Job
from photoindex.types import Failure

CRASHING = "preview_crashes"
"""Error class of a content whose preview ended the process with the model whenever it was alone there."""

_LOSSES_ALLOWED = 2
"""A process can end by chance (memory, the device) just when it has one input, but hardly twice with the same one."""


class Suspects:
    """The jobs that an executor had when it was lost, until each was tried alone."""

    def __init__(self) -> None:
        self._untried: set[int] = set()
        self._losses: Counter[int] = Counter()

    @property
    def one_by_one(self) -> bool:
        """Whether the next job has to run alone."""
        return bool(self._untried)

    def find_bad_input(self, jobs: Sequence[Job], *, sound: bool) -> Job | None:
        """Return the job to give up after an executor was lost with `jobs`, if any; the others become suspects.

        sound: the executor had shown that it works, so that a single job may well be the reason.
        """
        if not self.one_by_one:
            self._untried = {job.task_id for job in jobs}
        elif sound and len(jobs) == 1:
            (job,) = jobs
            self._losses[job.task_id] += 1
            return job if self._losses[job.task_id] >= _LOSSES_ALLOWED else None
        return None

    def settle(self, jobs: Iterable[Job]) -> None:
        """Clear jobs that were worked off."""
        self._untried.difference_update(job.task_id for job in jobs)


def failure_of_crash(reason: str) -> Failure:
    """Return the failure of an input that was given up. reason: how the executor was lost, without a full stop."""
    return Failure(
        CRASHING, f"its preview, alone, made the process with the model fail {_LOSSES_ALLOWED} times: {reason}"
    )
