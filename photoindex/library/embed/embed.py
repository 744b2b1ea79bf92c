"""Embed: make the vectors of all pictures that a model has not seen yet."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from photoindex.errors import ModelUnavailable
from photoindex.library.embed.model_choice import model_to_embed
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.library.scan.ingest import jobs_for
from photoindex.library.spaces.spaces import LOCK_NAME, variant_of
from photoindex.pipeline.embed.commit import MADE_ANEW
from photoindex.pipeline.embed.messages import Opening, WorkerSettings
from photoindex.pipeline.embed.run import Embedding, EmbedSettings, EmbedTally
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.progress import EventSink, Notice, PhaseFinished, PhaseStarted, ignore_events
from photoindex.stages import embed as stage
from photoindex.store.tasks import embed_tasks, queue
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow

if TYPE_CHECKING:
    from photoindex.models.weights import InstalledModel


OPENER = "photoindex.pipeline.embed.worker:open_installed"
_STDERR_NAME = "embed-worker.txt"
_PLANNED_AT_ONCE = 20_000
_MERGED_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """What to embed; model, device and batch size are settings (`embed.*`).

    limit: at most so many pictures. window_seconds: no batch is begun later than this after the start. opener: as in
    `WorkerSettings`, for another runtime than the installed model's.
    """

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    opener: str = OPENER


@dataclass(frozen=True, slots=True)
class EmbedSummary:
    """What came of a run.

    search_uses: the space that search uses, None where it uses none. embedded: vectors made. quarantined: pictures given up,
    failed: tried again by the next run. pending: pictures that wait still. images_per_second: from the first batch on,
    without the time that the model takes to load. Seconds of reading and decoding are summed over the threads; waited: what
    the model waited for pixels. bottleneck: read, decode, infer or write, None where nothing was embedded. stopped: the user
    ended it early; window_ended: its time was over.
    """

    model: str
    space: str | None
    active: bool
    search_uses: str | None
    runs_on: str
    embedded: int
    quarantined: int
    failed: int
    pending: int
    seconds: float
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


def embed(
    library: Library, request: EmbedRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> EmbedSummary:
    """Make the vectors that a model's space lacks, of every content that has a preview.

    Raises ModelUnavailable, DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    from photoindex.models.weights import ModelStore

    started = time.monotonic()
    installed = ModelStore(library.models_folder).get(model_to_embed(library))
    if request.dry_run:
        return _dry_run_summary(library, installed)
    with (
        exclusive(library.folder, "embed", name=LOCK_NAME),
        open_log(library.folder, library.config.log) as log,
    ):
        run = _Run(library, request, installed, both(emit, log_events(log, "embed")), log)
        deadline = None if request.window_seconds is None else started + request.window_seconds
        summary = run.run(stop, deadline)
        log.info("embedded", extra={"action": "embed", **asdict(summary)})
    return summary


def _dry_run_summary(library: Library, installed: InstalledModel) -> EmbedSummary:
    key = json.dumps(variant_of(installed), sort_keys=True, separators=(",", ":"))
    with library.database.read() as connection:
        variant_id = embed_tasks.find_variant(connection, key)
        pending = embed_tasks.count_to_do(connection, variant_id)
        known = [one for one in spaces.all_spaces(connection) if one.variant_id == variant_id]
        used = spaces.active_space(connection)
    summary = _summary(library, installed.id, known[0] if known else None, EmbedTally(), used)
    return replace(summary, pending=pending, dry_run=True)


@dataclass(slots=True)
class _Run:
    library: Library
    request: EmbedRequest
    installed: InstalledModel
    emit: EventSink
    log: logging.Logger

    def run(self, stop: Callable[[], bool], deadline: float | None) -> EmbedSummary:
        started = time.perf_counter()
        space = self._space()
        waiting = self._plan(space)
        total = waiting if self.request.limit is None else min(waiting, self.request.limit)
        over = _Deadline(deadline)
        tally = EmbedTally()
        if total and not stop() and not over():
            merger = Merger(self.library, space, self.log)
            run = Embedding(
                database=self.library.database,
                settings=EmbedSettings(self._worker_settings(), self.library.derived_folder, limit=self.request.limit),
                space=space,
                owner=queue.new_owner(),
                emit=self.emit,
                log=self.log,
                stop=lambda: stop() or over(),
                committed=merger.committed,
                tally=tally,
            )
            try:
                run.run(total)
            finally:
                merger.finish(self.emit)
            if tally.embedded and not stop():
                self._calibrate(space)
        elif not total:
            self._keep_indices_in_shape()
        with self.library.database.read() as connection:
            pending = embed_tasks.count_waiting(connection, space.variant_id)
            used = spaces.active_space(connection)
        left = pending > 0 and (self.request.limit is None or tally.done < total)
        return replace(
            _summary(self.library, self.installed.id, space, tally, used),
            pending=pending,
            seconds=round(time.perf_counter() - started, 3),
            stopped=left and stop(),
            window_ended=left and over(),
        )

    def _keep_indices_in_shape(self) -> None:
        """Nothing new comes, but what is gone since the last run may be worth making an index again."""
        from photoindex.library.index.maintain import merge_all_due

        merge_all_due(self.library, self.emit)

    def _calibrate(self, space: SpaceRow) -> None:
        """Measure the space where it is new or has grown, so that the first search need not."""
        from photoindex.library.index.maintain import open_index
        from photoindex.library.spaces.calibration import calibrated

        try:
            calibrated(self.library, space, open_index(self.library, space))
        except ModelUnavailable as error:
            # A search says so where it matters; the vectors are made.
            self.log.info("not calibrated: %s", error, extra={"action": "embed"})

    def _space(self) -> SpaceRow:
        with self.library.database.write() as connection:
            # The lock is held, and nobody embeds without it: whoever held these is gone.
            queue.release_all(connection, stage=stage.NAME)
            before = {one.name: one for one in spaces.all_spaces(connection)}
            variant_id = queue.ensure_variant(connection, stage.NAME, variant_of(self.installed))
            description = self.installed.description
            space = spaces.ensure_space(connection, model=self.installed.id, variant_id=variant_id, dim=description.dim)
        others = [name for name, one in before.items() if one.model == space.model and one.variant_id != variant_id]
        if space.name not in before and others:
            self.emit(
                Notice(
                    f"the model '{space.model}' is not what the space '{others[-1]}' was made with: its vectors go into a "
                    f"new space, '{space.name}'"
                )
            )
        return space

    def _plan(self, space: SpaceRow) -> int:
        """Make the tasks that there are not yet, and return how many wait."""
        database = self.library.database
        self.emit(PhaseStarted("planning", None, "pictures"))
        started = time.perf_counter()
        with database.read() as connection:
            unplanned = embed_tasks.unplanned(connection, space.variant_id)
            given_up = embed_tasks.given_up(connection, space.variant_id, MADE_ANEW)
        for first in range(0, len(unplanned), _PLANNED_AT_ONCE):
            chunk = unplanned[first : first + _PLANNED_AT_ONCE]
            with database.write() as connection:
                embed_tasks.plan(connection, space.variant_id, first=chunk[0], last=chunk[-1])
        healed = [one.id for one in given_up if self._has_new_preview(one)]
        with database.write() as connection:
            embed_tasks.put_failed_back(connection, space.variant_id)
            embed_tasks.try_again(connection, healed)
            waiting = embed_tasks.count_waiting(connection, space.variant_id)
        self.emit(PhaseFinished("planning", waiting, time.perf_counter() - started))
        return waiting

    def _has_new_preview(self, trouble: embed_tasks.InTrouble) -> bool:
        """Tell whether a preview was made since its content was given up for want of one."""
        try:
            return preview_path(self.library.derived_folder, trouble.digest).stat().st_mtime > trouble.updated_at
        except OSError:
            return False

    def _worker_settings(self) -> WorkerSettings:
        config = self.library.config.embed
        return WorkerSettings(
            opener=self.request.opener,
            opening=Opening(
                self.library.models_folder,
                self.installed.id,
                self.installed.digest,
                config.device,
                config.gpu_free_share,
            ),
            batch_size=config.batch_size,
            decode_threads=decode_threads(self.library),
            stderr=self.library.log_folder / _STDERR_NAME,
        )


class _Deadline:
    """Asked whether the moment (of `time.monotonic`) is over; None never is."""

    def __init__(self, moment: float | None) -> None:
        self._moment = moment

    def __call__(self) -> bool:
        return self._moment is not None and time.monotonic() >= self._moment


class Merger:
    """Lets new vectors join the index of their space, beside the run; one merge at a time."""

    def __init__(self, library: Library, space: SpaceRow, log: logging.Logger) -> None:
        self._library = library
        self._space = space
        self._log = log
        self._at = 0
        self._vectors = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="merge-vectors")
        self._running: Future[None] | None = None

    def committed(self, vectors: int) -> None:
        """Take note that there are so many new vectors now; begin a merge now and then."""
        self._vectors = vectors
        busy = self._running is not None and not self._running.done()
        if vectors - self._at >= _MERGED_EVERY and not busy:
            self._at = vectors
            self._running = self._pool.submit(self._merge, ignore_events)

    def finish(self, emit: EventSink) -> None:
        """Wait for the running merge, and let the rest join."""
        self._pool.shutdown()
        problem = None if self._running is None else self._running.exception()
        if problem is not None:
            # The index is a cache and the run was worth more; what is wrong shows again now.
            self._log.warning("merging failed: %s", problem, extra={"action": "embed"})
        if self._vectors:
            self._merge(emit)

    def _merge(self, emit: EventSink) -> None:
        from photoindex.library.index.maintain import merge_if_due

        merge_if_due(self._library, self._space, emit)


def decode_threads(library: Library) -> int:
    """Return how many threads decode previews: as set, or one a core."""
    return library.config.embed.decode_threads or jobs_for(1.0)


def _summary(
    library: Library, model: str, space: SpaceRow | None, tally: EmbedTally, used: SpaceRow | None
) -> EmbedSummary:
    threads = decode_threads(library)
    return EmbedSummary(
        model=model,
        space=None if space is None else space.name,
        active=space is not None and used is not None and space.id == used.id,
        search_uses=None if used is None else used.name,
        runs_on=tally.runs_on,
        embedded=tally.embedded,
        quarantined=tally.quarantined,
        failed=tally.failed,
        pending=0,
        seconds=0.0,
        images_per_second=round(tally.embedded / tally.busy_seconds, 2) if tally.busy_seconds else 0.0,
        batches=tally.batches,
        smallest_batch=tally.smallest_batch,
        restarts=tally.restarts,
        read_seconds=round(tally.read_seconds, 4),
        decode_seconds=round(tally.decode_seconds, 4),
        infer_seconds=round(tally.infer_seconds, 4),
        write_seconds=round(tally.write_seconds, 4),
        wait_seconds=round(tally.wait_seconds, 4),
        decode_threads=threads,
        bottleneck=tally.bottleneck(threads),
    )
