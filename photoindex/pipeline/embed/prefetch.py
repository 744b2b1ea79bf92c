"""Reading and decoding previews ahead of the model, in threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photoindex.models.base import Preprocessing
from photoindex.pipeline.embed.messages import Batch, Job
from photoindex.stages.embed import UnreadablePreview, pixels_of
from photoindex.types import Failure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = "preview_missing"
DAMAGED = "preview_damaged"
UNREADABLE = "preview_unreadable"

_JOBS_A_TURN = 4
"""Previews that a thread takes at a time: fewer hand-overs, and still all threads busy at the end of a batch."""


@dataclass(slots=True)
class _Turn:
    """What a thread made of some previews: read and decode in seconds; position in the batch -> what went wrong."""

    read: float = 0.0
    decode: float = 0.0
    failures: dict[int, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded batch: uint8 [n, size_px, size_px, 3] of `jobs` in their order; the others failed.

    read, decode: seconds, summed over the threads.
    """

    number: int
    jobs: tuple[Job, ...]
    values: NDArray[np.uint8]
    failures: tuple[tuple[int, Failure], ...]
    read: float
    decode: float


class Decoding:
    """A batch that is being decoded."""

    def __init__(self, batch: Batch, values: NDArray[np.uint8], turns: Sequence[Future[_Turn]]) -> None:
        self._batch = batch
        self._values = values
        self._turns = turns

    def result(self) -> Pixels:
        """Wait for the pixels."""
        turns = [turn.result() for turn in self._turns]
        failed = {position: failure for turn in turns for position, failure in turn.failures.items()}
        kept = [position for position in range(len(self._batch.jobs)) if position not in failed]
        jobs = self._batch.jobs
        return Pixels(
            self._batch.number,
            jobs=tuple(jobs[position] for position in kept),
            values=self._values if not failed else self._values[kept],
            failures=tuple((jobs[position].task_id, failed[position]) for position in sorted(failed)),
            read=sum(turn.read for turn in turns),
            decode=sum(turn.decode for turn in turns),
        )


class Prefetcher:
    """Decodes batches in threads, in the order in which they come."""

    def __init__(self, preprocessing: Preprocessing, threads: int) -> None:
        self._preprocessing = preprocessing
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode-previews")

    def begin(self, batch: Batch) -> Decoding:
        """Begin to decode a batch."""
        import numpy as np

        side = self._preprocessing.size_px
        values = np.empty((len(batch.jobs), side, side, 3), np.uint8)
        turns = [
            self._pool.submit(self._take, batch.jobs, range(first, min(first + _JOBS_A_TURN, len(batch.jobs))), values)
            for first in range(0, len(batch.jobs), _JOBS_A_TURN)
        ]
        return Decoding(batch, values, turns)

    def close(self) -> None:
        """Leave what was not begun, and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self, jobs: Sequence[Job], positions: range, values: NDArray[np.uint8]) -> _Turn:
        turn = _Turn()
        for position in positions:
            began = time.perf_counter()
            read = began
            try:
                with open(jobs[position].preview, "rb", buffering=0) as file:
                    data = file.read()
                read = time.perf_counter()
                values[position] = pixels_of(data, self._preprocessing)
            except FileNotFoundError:
                turn.failures[position] = Failure(MISSING, "its preview is not there")
            except OSError as error:
                said = f"its preview cannot be read ({error.strerror or error})"
                turn.failures[position] = Failure(UNREADABLE, said, retry=True)
            except UnreadablePreview as error:
                turn.failures[position] = Failure(DAMAGED, f"its preview is damaged ({error})")
            turn.read += read - began
            turn.decode += time.perf_counter() - read
        return turn
