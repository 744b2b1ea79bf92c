"""The messages between the runner and the model process; all of them are pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photoindex.stages.base import Outcome, Stage


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The settings of a model process.

    stage: its `open` is called with `opening` and returns an OpenStage. batch_size: maximum number of inputs
    per model call. threads: number of threads that read and decode previews. stderr: file for the output of libraries.
    prove: run a blank input first, so that a later failure is not due to a device that does not work at all. cores: how many the
    process may use, so that others are left for people; None: all.
    """

    stage: Stage
    opening: Any
    batch_size: int
    threads: int
    stderr: Path
    prove: bool = False
    cores: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What to run together: paths of previews, or results of another stage; `number` counts the batches of a process."""

    number: int
    sources: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """End after the batch that the model is running; batches that were not started are dropped."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The stage is ready. runs_on: device and runtime, for users."""

    runs_on: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The outcomes of a batch, one per source, in order.

    steps: seconds; read and decode are summed over the threads, wait is how long the model waited for inputs, infer how
    long it ran. largest: the current maximum number of inputs per model call, reduced when memory ran out.
    """

    number: int
    outcomes: tuple[Outcome, ...]
    steps: Mapping[str, float]
    largest: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The process cannot continue, and restarting it would not help; raise `error`."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """The process cannot continue, but a new one may: the device failed, or there was an unexpected error."""

    reason: str


ToProcess = Batch | Finish
FromProcess = Opened | BatchAnswer | Refused | Lost
