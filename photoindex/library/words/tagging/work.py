"""One run of a stage that gives pictures labels: counts, stores and sums up what a model finds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.stage_counting import CountingWriter
from photoindex.library.stage_figures import StageFigures, figures, outcome, threads_or_all
from photoindex.library.stage_run import Chosen, StageRequest, StageRun, StageSetup, count_to_do, stage_lock
from photoindex.pipeline.run.asset_work import Inputs
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink
from photoindex.stages.base import Stage
from photoindex.store.tasks import queue
from photoindex.store.words.labels import LabelWriter
from photoindex.types import Label, Result

Stop = Callable[[], bool]


class Stopped(Exception):
    """The user ended the command while what a stage needs was prepared."""


@dataclass(frozen=True, slots=True)
class LabelWork:
    """A stage with a model that is ready to run; the fields are those of StageSetup.

    replaces: tells by its key (JSON) whether the labels of another variant of the stage are replaced by these. prepare: is
    called before the tasks are planned. calibrated: returns how many tags have a confidence that was measured. chosen: the only
    contents to do, as of StageSetup.
    """

    stage: Stage
    model: str
    variant: Mapping[str, object]
    opening: Callable[[EventSink, Stop], Any]
    replaces: Callable[[str], bool]
    phase: str
    batch_size: int
    inputs: Inputs | None = None
    after_variant: int | None = None
    prepare: Callable[[EventSink, Stop], None] = lambda _emit, _stop: None
    calibrated: Callable[[], int] = lambda: 0
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsSummary(StageFigures):
    """What a run of one stage did.

    pictures: looked at. labels: shown ones that they got; hidden: those below the threshold that were kept. without:
    pictures without a shown label. threshold: least confidence that is shown, in percent. calibrated: tags whose confidence
    was measured on a person's verdicts; that of the others is the model's own.
    """

    stage: str
    pictures: int
    labels: int
    hidden: int
    without: int
    threshold: int
    calibrated: int


@dataclass(slots=True)
class _Counted:
    """What a run has stored. threshold: least confidence that is shown, 0 to 1."""

    threshold: float
    pictures: int = 0
    labels: int = 0
    hidden: int = 0
    without: int = 0

    def add(self, asset_id: int, results: Sequence[Result]) -> None:  # noqa: ARG002
        """Count the labels of one content."""
        labels = [one for one in results if isinstance(one, Label)]
        shown = sum(one.confidence >= self.threshold for one in labels)
        self.pictures += 1
        self.labels += shown
        self.hidden += len(labels) - shown
        self.without += not shown


@dataclass(slots=True)
class LabelRun:
    """Runs the tasks of a work, once."""

    library: Library
    work: LabelWork
    emit: EventSink
    counted: _Counted = field(init=False)

    def __post_init__(self) -> None:
        self.counted = _Counted(self.library.config.ai_confidence_threshold / 100)

    def dry_run(self) -> LabelsSummary:
        """Return a summary whose `pending` says how many pictures are left."""
        work = self.work
        pending = count_to_do(self.library, work.stage, work.variant, work.after_variant, work.chosen)
        return replace(self._summary(RunTally()), pending=pending, dry_run=True)

    def run(self, request: StageRequest, stop: Stop) -> LabelsSummary:
        """Run the stage. Raises LibraryLocked, ModelUnavailable, DeviceFailed, StorageFull; finished work is kept."""
        started = seconds_since_boot()
        with stage_lock(self.library, self.work.stage) as log:
            emit = both(self.emit, log_events(log, self.work.stage.name))
            run = StageRun(self.library, self._setup(emit, stop), request, emit, log, started)
            with suppress(Stopped):
                self.work.prepare(emit, stop)
                run.plan()
                run.run_tasks(stop)
            done = run.summary(stop)
            summary = replace(self._summary(run.tally), **outcome(done, started))
            log.info(
                "labelled", extra={"action": self.work.stage.name, "model": self.work.model, "labels": summary.labels}
            )
        return summary

    def _setup(self, emit: EventSink, stop: Stop) -> StageSetup:
        work = self.work
        return StageSetup(
            stage=work.stage,
            variant=work.variant,
            opening=lambda: work.opening(emit, stop),
            writer=self._writer,
            phase=work.phase,
            batch_size=work.batch_size,
            threads=threads_or_all(self.library.config.tags.decode_threads),
            inputs=work.inputs,
            after_variant=work.after_variant,
            chosen=work.chosen,
        )

    def _writer(self, connection: Connection, variant_id: int) -> CountingWriter:
        others = queue.variants(connection, self.work.stage.name).items()
        # What a service found stands beside it.
        replaced = tuple(
            one
            for one, key in others
            if one != variant_id and "provider" not in json.loads(key) and self.work.replaces(key)
        )
        writer = LabelWriter(self.work.stage.name, variant_id, self.counted.threshold, replaced)
        return CountingWriter(writer, self.counted)

    def _summary(self, tally: RunTally) -> LabelsSummary:
        counted = self.counted
        return LabelsSummary(
            **figures(self.work.model, tally, threads_or_all(self.library.config.tags.decode_threads)),
            stage=self.work.stage.name,
            pictures=counted.pictures,
            labels=counted.labels,
            hidden=counted.hidden,
            without=counted.without,
            threshold=self.library.config.ai_confidence_threshold,
            calibrated=self.work.calibrated(),
        )
