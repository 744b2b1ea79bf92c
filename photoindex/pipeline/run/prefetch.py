"""Reads and decodes what a stage needs in advance, in threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from photoindex.file_access import NotRegularFile, read_file
from photoindex.pipeline.run.messages import Batch
from photoindex.stages.base import Needs, OpenStage, UnreadablePreview
from photoindex.types import Failure

MISSING = "preview_missing"
DAMAGED = "preview_damaged"
UNREADABLE = "preview_unreadable"

_PREVIEWS_AT_ONCE = 4
"""Previews per thread and task: large enough to save overhead, small enough to keep all threads busy to the end."""


@dataclass(slots=True)
class _Share:
    """The work of one thread: seconds of reading and decoding. failures: by position in the batch."""

    read: float = 0.0
    decode: float = 0.0
    failures: dict[int, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A decoded batch: the model inputs of the previews at `positions`; the others failed.

    read, decode: seconds, summed over the threads.
    """

    number: int
    positions: tuple[int, ...]
    values: Any
    failures: dict[int, Failure]
    read: float
    decode: float


class Decoding:
    """A batch that is being decoded."""

    def __init__(self, batch: Batch, values: Any, shares: Sequence[Future[_Share]]) -> None:
        self._batch = batch
        self._values = values
        self._shares = shares

    def result(self) -> Inputs:
        """Wait for the inputs."""
        shares = [share.result() for share in self._shares]
        failures = {position: failure for share in shares for position, failure in share.failures.items()}
        positions = tuple(position for position in range(len(self._batch.sources)) if position not in failures)
        return Inputs(
            self._batch.number,
            positions=positions,
            values=_chosen(self._values, positions) if failures else self._values,
            failures=failures,
            read=sum(share.read for share in shares),
            decode=sum(share.decode for share in shares),
        )


def _chosen(values: Any, positions: Sequence[int]) -> Any:
    return [values[position] for position in positions] if isinstance(values, list) else values[list(positions)]


class Prefetcher:
    """Decodes batches in threads, in the order of submission."""

    def __init__(self, stage: OpenStage, threads: int, *, needs: Needs = Needs.PREVIEW) -> None:
        self._stage = stage
        self._needs = needs
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode-previews")

    def begin(self, batch: Batch) -> Decoding:
        """Start decoding a batch."""
        count = len(batch.sources)
        values = self._stage.allocate(count)
        shares = [
            self._pool.submit(self._decode, batch.sources, range(first, min(first + _PREVIEWS_AT_ONCE, count)), values)
            for first in range(0, count, _PREVIEWS_AT_ONCE)
        ]
        return Decoding(batch, values, shares)

    def close(self) -> None:
        """Drop batches that were not started, and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _decode(self, sources: Sequence[Any], positions: range, values: Any) -> _Share:
        share = _Share()
        for position in positions:
            began = read = time.perf_counter()
            try:
                data = sources[position]
                if self._needs is Needs.PREVIEW:
                    data = read_file(data)
                read = time.perf_counter()
                values[position] = self._stage.prepare(data)
            except (OSError, UnreadablePreview) as error:
                share.failures[position] = failure_of_preview(error)
            share.read += read - began
            share.decode += time.perf_counter() - read
        return share


def failure_of_preview(error: OSError | UnreadablePreview) -> Failure:
    """Return the failure of a content whose preview could not be read or decoded."""
    if isinstance(error, FileNotFoundError):
        return Failure(MISSING, "its preview is missing")
    if isinstance(error, NotRegularFile):
        return Failure(DAMAGED, f"its preview is damaged ({error.strerror})")
    if isinstance(error, OSError):
        return Failure(UNREADABLE, f"its preview cannot be read ({error.strerror or error})", retry=True)
    return Failure(DAMAGED, f"its preview is damaged ({error})")
