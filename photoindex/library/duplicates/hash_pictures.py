"""Makes the perceptual hashes that are missing, from previews."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from photoindex.domain.same_picture.hashes import VERSION
from photoindex.library.handle import Library
from photoindex.library.stage_figures import StageFigures, figures, outcome, threads_or_all
from photoindex.library.stage_run import StageRequest, StageSetup, Stop, count_to_do, run_stage
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink, ignore_events
from photoindex.stages.hash import STAGE, variant
from photoindex.store.photos import hashes

_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class HashSummary(StageFigures):
    """What a run did. hashed: number of pictures."""

    hashed: int


def hash_pictures(
    library: Library,
    request: StageRequest,
    emit: EventSink = ignore_events,
    *,
    dry_run: bool = False,
    stop: Stop = lambda: False,
) -> HashSummary:
    """Make the missing hashes; no original is opened. Raises LibraryLocked, StorageFull; finished work is kept."""
    pending = count_to_do(library, STAGE, variant(), chosen=_chosen)
    if dry_run or not pending:
        return replace(_summary(RunTally()), pending=pending, dry_run=dry_run)
    started = time.monotonic()
    setup = StageSetup(
        stage=STAGE,
        variant=variant(),
        opening=lambda: None,
        writer=lambda _connection, _variant_id: hashes.HashWriter(VERSION),
        phase="hashing",
        batch_size=_BATCH,
        threads=threads_or_all(None),
        chosen=_chosen,
    )
    done = run_stage(library, setup, request, emit, stop)
    return replace(_summary(done.tally), **outcome(done, started))


def _summary(tally: RunTally) -> HashSummary:
    return HashSummary(**figures("", tally, threads_or_all(None)), hashed=tally.succeeded)


def _chosen(connection: Connection, variant_id: int) -> Sequence[int]:
    return hashes.to_hash(connection, version=VERSION, variant_id=variant_id)
