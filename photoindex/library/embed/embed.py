"""Embed: makes vectors of all pictures that have none from a model yet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.errors import ModelUnavailable
from photoindex.library.embed.model_choice import installed_ids, model_to_embed
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.spaces.spaces import variant_of
from photoindex.library.stage_figures import StageFigures, figures, outcome, threads_or_all
from photoindex.library.stage_run import StageRequest, StageRun, StageSetup, count_to_do, stage_lock
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink, Notice, ignore_events
from photoindex.stages.embed import STAGE, Opening
from photoindex.store.tasks import queue
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.store.vectors.vectors import VectorWriter

if TYPE_CHECKING:
    from photoindex.models.weights import InstalledModel

PHASE = "embedding"
_MERGE_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """What to embed; model, device and batch size are settings (`embed.*`).

    limit: maximum number of pictures. window_seconds: no batch starts later than this after the start. open: as in
    `Stage`, for a runtime other than the installed model's. hang_seconds: see `ModelProcess`.
    """

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    open: str = STAGE.open
    hang_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSummary(StageFigures):
    """What a run did.

    search_uses: the space that search uses, if any. embedded: number of new vectors.
    """

    space: str | None
    active: bool
    search_uses: str | None
    embedded: int


def embed(
    library: Library, request: EmbedRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> EmbedSummary:
    """Make the vectors missing from a model's space, for all contents with a preview.

    Raises ModelUnavailable, DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    from photoindex.models.weights import ModelStore

    started = seconds_since_boot()
    installed = ModelStore(library.models_folder).get(model_to_embed(library))
    if request.dry_run:
        return _dry_run_summary(library, installed)
    with stage_lock(library, STAGE) as log:
        run = _Run(library, request, installed, both(emit, log_events(log, STAGE.name)), log)
        summary = run.run(stop, started)
        log.info("embedded", extra={"action": "embed", **asdict(summary)})
    return summary


def _dry_run_summary(library: Library, installed: InstalledModel) -> EmbedSummary:
    pending = count_to_do(library, STAGE, variant_of(installed))
    with library.database.read() as connection:
        variant_id = queue.find_variant(connection, STAGE.name, variant_of(installed))
        known = [one for one in spaces.all_spaces(connection) if one.variant_id == variant_id]
        used = spaces.active_space(connection)
    summary = _summary(library, installed.id, known[0] if known else None, RunTally(), used)
    return replace(summary, pending=pending, dry_run=True)


@dataclass(slots=True)
class _Run:
    library: Library
    request: EmbedRequest
    installed: InstalledModel
    emit: EventSink
    log: logging.Logger
    space: SpaceRow | None = None
    replaced_space: str | None = None

    def run(self, stop: Callable[[], bool], started: float) -> EmbedSummary:
        request = StageRequest(self.request.limit, self.request.window_seconds)
        run = StageRun(self.library, self._setup(), request, self.emit, self.log, started)
        total = run.plan()
        if self.replaced_space is not None:
            self.emit(Notice(self.replaced_space))
        space = self.space
        assert space is not None
        if total:
            merger = Merger(self.library, space, self.log)
            try:
                run.run_tasks(stop, merger.committed)
            finally:
                merger.finish(self.emit)
            if run.tally.succeeded and not stop():
                self._calibrate(space)
        else:
            self._maintain_indices()
        summary = run.summary(stop)
        with self.library.database.read() as connection:
            used = spaces.active_space(connection)
        return replace(
            _summary(self.library, self.installed.id, space, run.tally, used),
            **outcome(summary, started),
        )

    def _setup(self) -> StageSetup:
        config = self.library.config.embed
        return StageSetup(
            stage=replace(STAGE, open=self.request.open, command=self._command()),
            variant=variant_of(self.installed),
            opening=self._opening,
            writer=self._writer,
            phase=PHASE,
            batch_size=config.batch_size,
            threads=threads_or_all(config.decode_threads),
            hang_seconds=self.request.hang_seconds,
        )

    def _command(self) -> str:
        """Return the command that runs this model again; without --model, `embed` might choose another."""
        alone = installed_ids(self.library) == [self.installed.id]
        return STAGE.command if alone else f"{STAGE.command} --model {self.installed.id}"

    def _opening(self) -> Opening:
        assert self.space is not None
        config = self.library.config.embed
        return Opening(
            models_folder=self.library.models_folder,
            model=self.installed.id,
            digest=self.installed.digest,
            device=config.device,
            gpu_free_share=config.gpu_free_share,
            space=self.space.name,
            dim=self.space.dim,
        )

    def _writer(self, connection: Connection, variant_id: int) -> VectorWriter:
        before = {one.name: one for one in spaces.all_spaces(connection)}
        model, dim = self.installed.id, self.installed.encoders.dim
        space = self.space = spaces.ensure_space(connection, model=model, variant_id=variant_id, dim=dim)
        others = [name for name, one in before.items() if one.model == model and one.variant_id != variant_id]
        if space.name not in before and others:
            self.replaced_space = (
                f"the model '{model}' has changed since the space '{others[-1]}' was made: new vectors go into a "
                f"new space, '{space.name}'"
            )
        return VectorWriter(space.id)

    def _maintain_indices(self) -> None:
        """Rebuild indices if enough was deleted since the last run, even though there are no new vectors."""
        from photoindex.library.index.maintain import merge_all_due

        merge_all_due(self.library, self.emit)

    def _calibrate(self, space: SpaceRow) -> None:
        """Calibrate the space if it is new or has grown, so that the first search need not do it."""
        from photoindex.library.index.maintain import open_index
        from photoindex.library.spaces.calibration import calibrated

        try:
            calibrated(self.library, space, open_index(self.library, space))
        except ModelUnavailable as error:
            # The vectors are stored; a search reports the error if it matters.
            self.log.info("not calibrated: %s", error, extra={"action": "embed"})


class Merger:
    """Merges new vectors into the index of their space during the run, one merge at a time."""

    def __init__(self, library: Library, space: SpaceRow, log: logging.Logger) -> None:
        self._library = library
        self._space = space
        self._log = log
        self._merged_at = 0
        self._vectors = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="merge-vectors")
        self._running: Future[None] | None = None

    def committed(self, vectors: int) -> None:
        """Record the number of new vectors so far; start a merge if one is due."""
        self._vectors = vectors
        busy = self._running is not None and not self._running.done()
        if vectors - self._merged_at >= _MERGE_EVERY and not busy:
            self._merged_at = vectors
            self._running = self._pool.submit(self._merge, ignore_events)

    def finish(self, emit: EventSink) -> None:
        """Wait for the running merge, and merge the rest."""
        self._pool.shutdown()
        problem = None if self._running is None else self._running.exception()
        if problem is not None:
            # The index is only a cache, so the run went on; the final merge below will raise if the problem persists.
            self._log.warning("merging failed: %s", problem, extra={"action": "embed"})
        if self._vectors:
            self._merge(emit)

    def _merge(self, emit: EventSink) -> None:
        from photoindex.library.index.maintain import merge_if_due

        merge_if_due(self._library, self._space, emit)


def _summary(
    library: Library, model: str, space: SpaceRow | None, tally: RunTally, used: SpaceRow | None
) -> EmbedSummary:
    return EmbedSummary(
        **figures(model, tally, threads_or_all(library.config.embed.decode_threads)),
        space=None if space is None else space.name,
        active=space is not None and used is not None and space.id == used.id,
        search_uses=None if used is None else used.name,
        embedded=tally.succeeded,
    )
