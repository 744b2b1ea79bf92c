"""Finding the picture over which the process with the model ends: what it was given is tried again one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from photoindex.pipeline.embed.messages import Job
from photoindex.types import Failure

CRASHING = "preview_crashes"
"""Error class of a content whose preview ended the process with the model whenever it was alone there."""

_LOSSES_BORNE = 2
"""A process can end by chance (memory, the device) just when it has one picture, but hardly twice with the same one."""


class Suspects:
    """The contents that were given to a process that was lost, until each was tried alone.

    They are not remembered by name: given back, they are the first to be claimed again.
    """

    def __init__(self) -> None:
        self._left = 0
        self._losses: Counter[int] = Counter()

    @property
    def one_by_one(self) -> bool:
        """Tell whether the next content is to be tried alone."""
        return self._left > 0

    def lost(self, given: Iterable[Job], *, sound: bool) -> Job | None:
        """Take note that a process was lost that had these contents; return the one that is to be given up, if any.

        sound: the process had shown that it can embed a picture, so that a single one it had may well be the reason.
        """
        jobs = list(given)
        if not self.one_by_one:
            self._left = len(jobs)
        elif sound and len(jobs) == 1:
            (job,) = jobs
            self._losses[job.task_id] += 1
            return job if self._losses[job.task_id] >= _LOSSES_BORNE else None
        return None

    def settled(self, contents: int) -> None:
        """Take note that so many contents are worked off."""
        self._left = max(0, self._left - contents)

    def none_wait(self) -> None:
        """Take note that no content is left to be tried: others took them, or forgot them."""
        self._left = 0


def failure_of_crash(reason: str) -> Failure:
    """Return what is kept of a content that is given up. reason: how the process was lost, as a sentence without its end."""
    return Failure(
        CRASHING, f"its preview, alone, made the process with the model fail {_LOSSES_BORNE} times: {reason}"
    )
