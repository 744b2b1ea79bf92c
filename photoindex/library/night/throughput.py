"""Records how fast a run of a stage is, for plans, reports and metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from photoindex.pipeline.run.executor import Executor
from photoindex.pipeline.run.runner import RunTally
from photoindex.pipeline.run.work import Writable
from photoindex.store.night import throughput
from photoindex.store.night.throughput import Piece

PIECE_SECONDS = 60.0
"""How much work one piece covers: long enough to be steady, short enough to see a rate that changes."""


@dataclass(slots=True)
class ThroughputRecorder:
    """Writes what a run did since the last piece; made when the run starts."""

    database: Writable
    stage: str
    variant_id: int
    tally: RunTally
    executor: Executor
    _started: float = field(default_factory=time.perf_counter)
    _before: RunTally = field(default_factory=RunTally)

    def committed(self) -> None:
        """Record a piece if enough was done since the last one."""
        if self.tally.busy_seconds - self._before.busy_seconds >= PIECE_SECONDS:
            self.finish()

    def finish(self) -> None:
        """Record what was done since the last piece."""
        now, before = self.tally, self._before
        if now.done == before.done:
            return
        opened_at = self.executor.opened_at
        is_first = before.done == 0 and opened_at is not None
        piece = Piece(
            stage=self.stage,
            variant_id=self.variant_id,
            subjects=now.done - before.done,
            failed=now.failed + now.quarantined - before.failed - before.quarantined,
            retried=now.retried - before.retried,
            seconds=now.busy_seconds - before.busy_seconds,
            opening_seconds=max(0.0, opened_at - self._started) if is_first and opened_at is not None else 0.0,
            infer_seconds=now.steps.get("infer", 0.0) - before.steps.get("infer", 0.0),
            device=self.executor.runs_on,
        )
        with self.database.write() as connection:
            throughput.record(connection, piece)
        self._before = now.copy()
