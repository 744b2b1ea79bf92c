"""What the process that embeds and the process with the model say to each other; everything here is pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.types import Failure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker runs.

    opener: `module:function` that is called with `opening` and returns an `ImageEncoder`. batch_size: pictures that the
    model is given at a time at the most. stderr: file that takes what libraries print. prove: embed a picture without
    content before anything else, so that what is lost later is not lost because nothing works.
    """

    opener: str
    opening: Any
    batch_size: int
    decode_threads: int
    stderr: Path
    prove: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model to open: `digest` is the weights digest that it must still have."""

    models_folder: Path
    model: str
    digest: str
    device: str
    gpu_free_share: float


@dataclass(frozen=True, slots=True)
class Job:
    """One content to embed: its task and its preview."""

    task_id: int
    preview: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Contents to embed together; `number` counts within a run."""

    number: int
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """End after the batch that the model is at; what was not begun is left."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The model is ready. dim: numbers a vector; runs_on: device and runtime, for people."""

    dim: int
    runs_on: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """Where the time of a batch went.

    read, decode: summed over the threads that did it. wait: what the model waited for pixels. infer: in the model.
    """

    read: float = 0.0
    decode: float = 0.0
    wait: float = 0.0
    infer: float = 0.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """What came of a batch: the vectors of `task_ids` in their order (float16 [n, dim], unit length), and the failures.

    largest: pictures that the model took at a time at the most, fewer than asked for where memory ran out.
    """

    number: int
    task_ids: tuple[int, ...]
    vectors: NDArray[np.float16]
    failures: tuple[tuple[int, Failure], ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    largest: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker cannot go on and a new one could not either; `error` is to be raised."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker cannot go on, a new one may: the device failed, or something that nobody expected happened."""

    reason: str


ToWorker = Batch | Finish
FromWorker = Opened | Encoded | Refused | Lost
