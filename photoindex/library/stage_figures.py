"""What a run of a stage with a model did, in the figures that all such stages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from photoindex.durations import seconds_since_boot
from photoindex.library.cores import jobs_for
from photoindex.library.stage_run import StageSummary
from photoindex.pipeline.run.runner import RunTally

Step = Literal["read", "decode", "infer", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """What a run did.

    quarantined: pictures that failed for good. failed: pictures that the next run retries. pending: pictures still to do.
    images_per_second: without the loading time of the model. read_seconds, decode_seconds: summed over the threads.
    wait_seconds: how long the model waited for pixels. bottleneck: read, decode, infer or write, None if nothing was done.
    stopped: the user ended the run early. window_ended: its time was up.
    """

    model: str
    runs_on: str
    quarantined: int
    failed: int
    pending: int = 0
    seconds: float = 0.0
    images_per_second: float
    batches: int
    smallest_batch: int | None
    restarts: int
    read_seconds: float
    decode_seconds: float
    infer_seconds: float
    write_seconds: float
    wait_seconds: float
    decode_threads: int
    bottleneck: str | None
    stopped: bool = False
    window_ended: bool = False
    dry_run: bool = False


def figures(model: str, tally: RunTally, threads: int) -> dict[str, Any]:
    """Return the fields of StageFigures that a run's tally gives. threads: how many decoded pictures."""
    seconds = {
        f"{step}_seconds": round(tally.steps.get(step, 0.0), 4) for step in ("read", "decode", "infer", "write", "wait")
    }
    return {
        "model": model,
        "runs_on": tally.runs_on,
        "quarantined": tally.quarantined,
        "failed": tally.failed,
        "images_per_second": per_second(tally.succeeded, tally),
        "batches": tally.batches,
        "smallest_batch": tally.smallest_batch,
        "restarts": tally.restarts,
        **seconds,
        "decode_threads": threads,
        "bottleneck": bottleneck(tally, threads),
    }


def outcome(done: StageSummary, started: float) -> dict[str, Any]:
    """Return the fields of StageFigures that the end of a run gives. started: by `seconds_since_boot`."""
    return {
        "pending": done.pending,
        "seconds": round(seconds_since_boot() - started, 3),
        "stopped": done.stopped,
        "window_ended": done.window_ended,
    }


def per_second(count: int, tally: RunTally) -> float:
    """Return the rate of what a run did, from when its model was loaded."""
    return round(count / tally.busy_seconds, 2) if tally.busy_seconds else 0.0


def bottleneck(tally: RunTally, threads: int) -> Step | None:
    """Return the step that took longest, given the threads that share it; None if nothing was done."""
    steps = tally.steps
    busy: dict[Step, float] = {
        "infer": steps.get("infer", 0.0),
        "read": steps.get("read", 0.0) / threads,
        "decode": steps.get("decode", 0.0) / threads,
        "write": steps.get("write", 0.0),
    }
    return max(busy.items(), key=lambda each: each[1])[0] if tally.batches else None


def threads_or_all(setting: int | None) -> int:
    """Return how many threads decode previews: the setting, or one per core."""
    return setting or jobs_for(1.0)
