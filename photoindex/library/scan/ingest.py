"""Ingests the files that a scan has to read; separate from `scan`, so that a scan with nothing to read imports less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from photoindex.library.cores import jobs_for
from photoindex.library.handle import Library
from photoindex.library.night.throughput import ThroughputRecorder
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import resolver_of
from photoindex.pipeline.ingest.commit import Committer, IngestTally
from photoindex.pipeline.ingest.work import IngestSettings, IngestWork
from photoindex.pipeline.ingest.worker import ingest_file
from photoindex.pipeline.run.decoder_pool import DecoderPool
from photoindex.pipeline.run.runner import Runner, RunTally
from photoindex.pipeline.workers import isolation
from photoindex.progress import EventSink
from photoindex.stages.ingest import STAGE
from photoindex.store.engine.database import Session


def start_forkserver(*, derive: bool) -> None:
    """Start the process that workers are forked from; its imports run in the background."""
    wanted = ["photoindex.pipeline.ingest.worker", "photoindex.media.metadata.description", "blake3"]
    if derive:
        from photoindex.media.decode.preload import preload_modules

        wanted += [*preload_modules(), "photoindex.stages.hash", "photoindex.domain.same_picture.hashes"]
    isolation.start_forkserver(wanted)


@dataclass(frozen=True, slots=True)
class WorkList:
    """What a scan has to read: `total` files, for a variant of ingest, with or without previews."""

    variant_id: int
    total: int
    derive: bool


def ingest_files(
    library: Library, session: Session, roots: Roots, work: WorkList, emit: EventSink, stop: Callable[[], bool]
) -> tuple[IngestTally, int]:
    """Ingest the files of a scan's work list; return the verdicts and how many files were done.

    Raises StorageFull, WorkersLost.
    """
    config = library.config
    settings = IngestSettings(
        jobs=min(config.scan.jobs or jobs_for(config.scan.cores_share), work.total),
        batch_size=config.scan.batch_size,
        derived_folder=library.derived_folder,
        params=config.derived.params,
        limits=config.scan.limits,
        derive=work.derive,
    )
    committer = Committer(
        variant_id=work.variant_id, resolver=resolver_of(library, roots, emit), is_online=roots.is_online
    )
    executor = DecoderPool(ingest_file, count=settings.jobs, limits=settings.limits, stop=stop)
    tally = RunTally()
    speed = ThroughputRecorder(session, STAGE.name, work.variant_id, tally, executor)
    runner = Runner(
        database=session,
        work=IngestWork(settings, committer),
        executor=executor,
        emit=emit,
        stop=stop,
        committed=lambda _done: speed.committed(),
        tally=tally,
    )
    start_forkserver(derive=work.derive)
    runner.run(work.total)
    speed.finish()
    return committer.tally, runner.tally.done
