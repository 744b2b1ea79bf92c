"""What the runner's process and the process with a model send each other; everything here is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photoindex.stages.base import Outcome


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How a process with a model runs.

    open: `module:function` that is called with `opening` and returns an OpenStage. batch_size: inputs that the model is
    given at once at most. threads: that read and decode previews. stderr: file that takes what libraries print. prove: run
    an empty input before anything else, so that what is lost later is not lost because nothing works.
    """

    open: str
    opening: Any
    batch_size: int
    threads: int
    stderr: Path
    prove: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Previews to run together, by their paths; `number` counts within a process."""

    number: int
    previews: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """End after the batch that the model is at; what was not begun is left."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The stage is ready. runs_on: device and runtime, for people."""

    runs_on: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The outcomes of a batch, one for each of its previews in their order.

    steps: seconds; read and decode are summed over the threads, wait is what the model waited for inputs, infer what it
    took. largest: inputs that the model took at once at most, fewer than asked for where memory ran out.
    """

    number: int
    outcomes: tuple[Outcome, ...]
    steps: Mapping[str, float]
    largest: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The process cannot go on and a new one could not either; `error` is to be raised."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """The process cannot go on, a new one may: the device failed, or something that nobody expected happened."""

    reason: str


ToProcess = Batch | Finish
FromProcess = Opened | BatchAnswer | Refused | Lost
