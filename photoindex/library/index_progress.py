"""Progress of writing an index: a phase for each of its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.vectors.spaces import SpaceRow


@contextmanager
def progress(emit: EventSink, space: SpaceRow, total: int) -> Iterator[Steps]:
    """Give what a write tells its progress to; total: vectors that it will read."""
    steps = Steps(emit, space.name, total)
    yield steps
    steps.finish()


class Steps:
    """Tells of the steps of a write, each a phase of its own."""

    def __init__(self, emit: EventSink, name: str, total: int) -> None:
        self._emit = emit
        self._phases = {"vectors": f"reading the vectors of {name}", "codes": f"indexing {name}"}
        self._total = total
        self._step = ""
        self._done = 0
        self._began = 0.0

    def __call__(self, step: str, rows: int) -> None:
        """Take note that so many vectors are done in a step, `vectors` or `codes`."""
        if step != self._step:
            self.finish()
            self._step, self._began = step, time.perf_counter()
            self._emit(PhaseStarted(self._phases[step], self._total, "vectors"))
        self._done = rows
        self._emit(PhaseAdvanced(self._phases[step], rows))

    def finish(self) -> None:
        """End the running phase."""
        if self._step:
            self._emit(PhaseFinished(self._phases[self._step], self._done, time.perf_counter() - self._began))
            self._step = ""
