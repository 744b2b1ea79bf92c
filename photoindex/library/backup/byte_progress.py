"""Progress of work measured in bytes, reported as one phase in megabytes."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted

_MB = 1_000_000


class ByteProgress:
    """A phase that lasts as long as its `with` block; after an exception it is not reported as finished.

    total_bytes: of all parts; None if unknown.
    """

    def __init__(self, events: EventSink, phase: str, total_bytes: int | None) -> None:
        self._events = events
        self._phase = phase
        self._total_bytes = total_bytes
        self._bytes_before = 0
        self._bytes_done = 0
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        total = None if self._total_bytes is None else _megabytes(self._total_bytes)
        self._events(PhaseStarted(self._phase, total, unit="MB"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._events(PhaseFinished(self._phase, _megabytes(self._bytes_done), time.monotonic() - self._started))

    def advance(self, bytes_done: int) -> None:
        """Report how many bytes of the current part are done."""
        self._bytes_done = self._bytes_before + bytes_done
        self._events(PhaseAdvanced(self._phase, _megabytes(self._bytes_done), bytes_done=self._bytes_done))

    def next_part(self) -> None:
        """Start the next part: its bytes are added to those already done."""
        self._bytes_before = self._bytes_done


def _megabytes(size_bytes: int) -> int:
    return -(-size_bytes // _MB)
