"""Runs a stage over the contents of a library: lock, plan, time window, model process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.library.cores import jobs_for
from photoindex.library.derived_folder import check_not_away
from photoindex.library.handle import Library
from photoindex.library.lock import LOCK_NAME, exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.library.night.throughput import ThroughputRecorder
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.pipeline.run.asset_work import FIXED_BY_NEW_PREVIEW, AssetWork, Inputs, Writer
from photoindex.pipeline.run.executor import Executor
from photoindex.pipeline.run.messages import ProcessSettings
from photoindex.pipeline.run.runner import Runner, RunTally
from photoindex.progress import EventSink, PhaseFinished, PhaseStarted
from photoindex.stages.base import Needs, Stage, Subject
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.tasks.asset_tasks import StageVariant

_PLANNED_AT_ONCE = 20_000
NEVER_PLANNED = -1

Stop = Callable[[], bool]
Chosen = Callable[[Connection, int], Sequence[int]]
"""Returns the only contents to do, given the id of a variant (NEVER_PLANNED if there is none yet)."""


@dataclass(frozen=True, slots=True)
class StageSetup:
    """What one run of a stage needs besides the library.

    variant: everything that changes the results; the key of the variant. opening: returns the argument for the stage's
    `open` in the model process; called after `writer`. writer: returns the writer of the results, given the variant's
    id; called in the transaction that creates the variant. executor: runs the batches instead of a model process. phase: the title of the progress bar. hang_seconds: see
    ModelProcess. inputs: with Needs.RESULTS or ORIGINAL, reads what the stage needs of contents; None for previews. chosen:
    returns the only contents to do, given the variant's id; None: all that are ready. around: returns the executor that
    runs the stage, given that of the model, for stages that need originals. after_variant: as of StageVariant.
    """

    stage: Stage
    variant: Mapping[str, object]
    opening: Callable[[], Any]
    writer: Callable[[Connection, int], Writer]
    phase: str
    batch_size: int
    threads: int
    hang_seconds: float | None = None
    inputs: Inputs | None = None
    chosen: Chosen | None = None
    around: Callable[[Executor, Stop], Executor] | None = None
    after_variant: int | None = None
    executor: Executor | None = None


@dataclass(frozen=True, slots=True)
class StageRequest:
    """limit: maximum number of tasks. window_seconds: no batch starts later than this after the start."""

    limit: int | None = None
    window_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StageSummary:
    """What a run did. pending: tasks still to do. stopped: the user ended it early. window_ended: its time was up."""

    tally: RunTally
    pending: int
    stopped: bool = False
    window_ended: bool = False


@contextmanager
def stage_lock(library: Library, stage: Stage) -> Iterator[logging.Logger]:
    """Hold the stage's lock and yield the log. Only runs of the same stage exclude each other. Raises LibraryLocked."""
    with (
        exclusive(library.folder, stage.name, name=lock_name(stage)),
        open_log(library.folder, library.config.log) as log,
    ):
        yield log


def lock_name(stage: Stage) -> str:
    """Return the name of the lock file that a run of the stage holds; files are read under the library's own lock."""
    return LOCK_NAME if stage.subject is Subject.FILE else f"{stage.name}.lock"


def run_stage(
    library: Library, setup: StageSetup, request: StageRequest, emit: EventSink, stop: Stop = lambda: False
) -> StageSummary:
    """Plan a stage's tasks and run them. Raises LibraryLocked and what `Runner.run` raises; finished work is kept."""
    with stage_lock(library, setup.stage) as log:
        run = StageRun(library, setup, request, both(emit, log_events(log, setup.stage.name)), log)
        run.plan()
        run.run_tasks(stop)
        return run.summary(stop)


@dataclass(slots=True)
class StageRun:
    """One run of a stage, step by step, for callers that hold `stage_lock` and do other work between the steps."""

    library: Library
    setup: StageSetup
    request: StageRequest
    emit: EventSink
    log: logging.Logger
    started: float = field(default_factory=seconds_since_boot)
    tally: RunTally = field(default_factory=RunTally)
    total: int = 0
    _variant_id: int = 0
    _writer: Writer | None = None

    @property
    def tasks(self) -> StageVariant:
        """The tasks of this run's stage and variant."""
        return variant_of(self.setup.stage, self._variant_id, self.setup.after_variant)

    def plan(self) -> int:
        """Create the variant, its writer and missing tasks; return how many tasks this run will do."""
        name = self.setup.stage.name
        with self.library.database.write() as connection:
            queue.release_stale_leases(connection, stage=name)
            self._variant_id = queue.ensure_variant(connection, name, self.setup.variant)
            self._writer = self.setup.writer(connection, self._variant_id)
        waiting = self._plan_tasks()
        self.total = waiting if self.request.limit is None else min(waiting, self.request.limit)
        return self.total

    def is_window_over(self) -> bool:
        """Tell whether the time for starting batches is over."""
        seconds = self.request.window_seconds
        return seconds is not None and seconds_since_boot() >= self.started + seconds

    def run_tasks(self, stop: Stop, committed: Callable[[int], None] = lambda _count: None) -> None:
        """Run the tasks. committed: called after each commit with the number of contents done so far."""
        if not self.total or stop() or self.is_window_over():
            return
        assert self._writer is not None
        setup = self.setup
        if setup.stage.needs is Needs.PREVIEW:
            check_not_away(self.library)
        model = setup.executor or self._model_process()
        executor = model if setup.around is None else setup.around(model, stop)
        speed = ThroughputRecorder(self.library.database, setup.stage.name, self._variant_id, self.tally, executor)

        def after_commit(done: int) -> None:
            speed.committed()
            committed(done)

        runner = Runner(
            database=self.library.database,
            work=AssetWork(
                setup.stage,
                self._variant_id,
                self._writer,
                self.library.derived_folder,
                setup.phase,
                setup.batch_size,
                inputs=setup.inputs,
            ),
            executor=executor,
            emit=self.emit,
            stop=lambda: stop() or self.is_window_over(),
            limit=self.request.limit,
            log=self.log,
            model=_loaded_model(setup.variant),
            committed=after_commit,
            tally=self.tally,
        )
        runner.run(self.total)
        speed.finish()

    def _model_process(self) -> Executor:
        setup = self.setup
        settings = ProcessSettings(
            stage=setup.stage, opening=setup.opening(), batch_size=setup.batch_size, threads=setup.threads,
            stderr=self.library.log_folder / f"{setup.stage.name}-worker.txt",
            cores=jobs_for(self.library.config.scan.cores_share),
        )  # fmt: skip
        return self.library.model_executor(settings, setup.hang_seconds)

    def summary(self, stop: Stop) -> StageSummary:
        """Return what the run did and what is left."""
        with self.library.database.read() as connection:
            pending = asset_tasks.count_waiting(connection, self.tasks)
        left = pending > 0 and (self.request.limit is None or self.tally.done < self.total)
        return StageSummary(self.tally, pending, stopped=left and stop(), window_ended=left and self.is_window_over())

    def _plan_tasks(self) -> int:
        """Create missing tasks, retry those that can succeed now, and return how many are pending."""
        database = self.library.database
        self.emit(PhaseStarted("planning", None, "pictures"))
        started = time.perf_counter()
        if self.setup.chosen is None:
            waiting = self._plan_all()
        else:
            with database.write() as connection:
                chosen = self.setup.chosen(connection, self._variant_id)
                waiting = asset_tasks.plan_only(connection, self.tasks, chosen)
        self.emit(PhaseFinished("planning", waiting, time.perf_counter() - started))
        return waiting

    def _plan_all(self) -> int:
        database = self.library.database
        with database.read() as connection:
            unplanned = asset_tasks.unplanned(connection, self.tasks)
            given_up = asset_tasks.given_up(connection, self.tasks, FIXED_BY_NEW_PREVIEW)
        for first in range(0, len(unplanned), _PLANNED_AT_ONCE):
            chunk = unplanned[first : first + _PLANNED_AT_ONCE]
            with database.write() as connection:
                asset_tasks.plan(connection, self.tasks, first=chunk[0], last=chunk[-1])
        fixed = [one.id for one in given_up if self._has_new_preview(one)]
        with database.write() as connection:
            asset_tasks.put_failed_back(connection, self.tasks)
            asset_tasks.try_again(connection, fixed)
            return asset_tasks.count_waiting(connection, self.tasks)

    def _has_new_preview(self, given_up: asset_tasks.GivenUp) -> bool:
        """Tell whether the content has a preview newer than its failure."""
        try:
            return preview_path(self.library.derived_folder, given_up.digest).stat().st_mtime > given_up.updated_at
        except OSError:
            return False


def _loaded_model(variant: Mapping[str, object]) -> str:
    """Return the model that a run loads, empty if a server or service has it."""
    return "" if variant.get("weights") == "" or "provider" in variant else str(variant.get("model", ""))


def count_to_do(
    library: Library,
    stage: Stage,
    variant: Mapping[str, object],
    after_variant: int | None = None,
    chosen: Chosen | None = None,
) -> int:
    """Return how many contents a run would process, without planning anything. chosen: as of StageSetup, unfinished ones."""
    with library.database.read() as connection:
        found = queue.find_variant(connection, stage.name, variant)
        variant_id = NEVER_PLANNED if found is None else found
        if chosen is not None:
            return len(chosen(connection, variant_id))
        return asset_tasks.count_to_do(connection, variant_of(stage, variant_id, after_variant))


def variant_of(stage: Stage, variant_id: int, after_variant: int | None = None) -> StageVariant:
    """Return what selects the tasks of one variant of a stage."""
    return StageVariant(stage.name, variant_id, after=stage.after, after_variant=after_variant)
