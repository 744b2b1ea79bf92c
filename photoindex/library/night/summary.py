"""What an unattended run did, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["done", "window", "stopped", "failed"]


@dataclass(slots=True, kw_only=True)
class StepResult:
    """What a step of a run did, over all its passes.

    done, failed, given_up, left, model, runs_on, infer_seconds, bottleneck: as of StepOutcome. seconds: at work;
    waited_seconds: of waiting for a quiet machine. joules: energy that the computer used meanwhile, None where it does not tell.
    skipped: why it did not run. error: what ended it; error_code: the exit code of that.
    """

    name: str
    unit: str
    done: int = 0
    failed: int = 0
    given_up: int = 0
    left: int = 0
    model: str = ""
    runs_on: str = ""
    seconds: float = 0.0
    waited_seconds: float = 0.0
    infer_seconds: float = 0.0
    bottleneck: str | None = None
    joules: float | None = None
    skipped: str | None = None
    error: str | None = None
    error_code: int | None = None

    @property
    def per_second(self) -> float:
        """How many it did in a second of work, with the loading of its model."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class RunFailure:
    """A file that failed in a run: the step, its path as text, the class of the error, and the message."""

    step: str
    path: str
    error_class: str
    message: str


@dataclass(slots=True, kw_only=True)
class NightSummary:
    """What a run did.

    started_at: UTC seconds. waited: reason -> seconds of waiting. joules: of all steps together. failures: the first files that
    failed.
    """

    started_at: float
    seconds: float = 0.0
    outcome: Outcome = "done"
    steps: list[StepResult] = field(default_factory=list)
    waited: Mapping[str, float] = field(default_factory=dict)
    joules: float | None = None
    failures: list[RunFailure] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Subjects that are still to do, of all steps that could run."""
        return sum(one.left for one in self.steps if one.skipped is None)

    @property
    def error_code(self) -> int | None:
        """The exit code of the first error, None if there was none."""
        return next((one.error_code for one in self.steps if one.error_code is not None), None)

    @property
    def troubles(self) -> int:
        """Subjects that failed."""
        return sum(one.failed + one.given_up for one in self.steps)
