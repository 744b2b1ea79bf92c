"""The work of stages that process contents: their previews, or what other stages found in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection

from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.pipeline.run.executor import Finished, Job
from photoindex.pipeline.run.prefetch import DAMAGED, MISSING
from photoindex.pipeline.run.suspects import CRASHING
from photoindex.pipeline.run.work import FailedTask, Recorded
from photoindex.stages.base import Stage
from photoindex.store.photos import derived_flags
from photoindex.store.tasks import asset_tasks
from photoindex.store.tasks.queue import Claimed
from photoindex.types import Failure, Result

_LOST = (MISSING, DAMAGED)
"""Error classes of contents whose preview the next scan makes again by itself."""
FIXED_BY_NEW_PREVIEW = (MISSING, DAMAGED, CRASHING)
"""Error classes that a new preview can fix."""


Inputs = Callable[[Connection, Sequence[int]], Mapping[int, Any]]
"""Reads what a stage needs of each content (asset id) from the database; contents without it are left out."""


class Writer(Protocol):
    """Stores the results of one variant of a stage."""

    def put(self, connection: Connection, results: Mapping[int, tuple[Result, ...]]) -> None:
        """Write the results of contents (asset id -> results), replacing earlier ones of the same variant."""
        ...


@dataclass(slots=True)
class AssetWork:
    """The tasks of one stage and variant; see `Work`."""

    stage_of: Stage
    variant_id: int
    writer: Writer
    derived_folder: Path
    phase: str
    claim_size: int
    unit: str = "pictures"
    passes: Sequence[Sequence[int]] = ((asset_tasks.FIRST, asset_tasks.LATER),)
    commit_size: int = 1
    bytes_read: int = 0
    announces_failures: bool = False
    inputs: Inputs | None = None

    @property
    def stage(self) -> str:
        """The stage's name in the task table."""
        return self.stage_of.name

    def subjects(self) -> None:
        """Return None: all tasks of the variant may be claimed."""

    def jobs(self, connection: Connection, claimed: Sequence[Claimed]) -> list[Job]:
        """Return a job with what the stage needs for each claimed content that still exists."""
        found = (self.inputs or self._previews)(connection, [one.subject_id for one in claimed])
        return [
            Job(one.id, one.subject_id, one.attempts + 1, found[one.subject_id])
            for one in claimed
            if one.subject_id in found
        ]

    def _previews(self, connection: Connection, asset_ids: Sequence[int]) -> dict[int, str]:
        known = asset_tasks.digests(connection, asset_ids)
        return {asset_id: str(preview_path(self.derived_folder, digest)) for asset_id, digest in known.items()}

    def path_of(self, _job: Job) -> bytes:
        """Return nothing: the path of a preview means nothing to a user."""
        return b""

    def prepare(self, finished: Sequence[Finished]) -> None:
        """Do nothing."""

    def record(self, connection: Connection, finished: Sequence[Finished], *, owner: str) -> Recorded:
        """Write a batch, except contents that were removed or claimed by another run in the meantime."""
        held = asset_tasks.held(connection, [each.job.task_id for each in finished], owner=owner)
        kept = [each for each in finished if each.job.task_id in held]
        results = {held[each.job.task_id]: each.result for each in kept if each.failure is None}
        if results:
            self.writer.put(connection, results)
        recorded = Recorded(
            done=[(each.job.task_id, each.seconds) for each in kept if each.failure is None],
            forgotten=len(finished) - len(kept),
        )
        for each in kept:
            if each.failure is not None:
                origin = asset_tasks.origin_of(connection, held[each.job.task_id])
                named = replace(
                    each.failure, message=each.failure.message + self._remedy(each.failure, origin.photo_id)
                )
                recorded.failed.append(FailedTask(each.job, named, origin.path, each.seconds))
                if each.failure.error_class in _LOST:
                    derived_flags.mark_lost(connection, [held[each.job.task_id]])
        return recorded

    def _remedy(self, failure: Failure, photo_id: int) -> str:
        command = self.stage_of.command
        if failure.error_class in _LOST:
            return f"; the next photoindex scan makes a new one, then run: photoindex {command}"
        if failure.error_class in FIXED_BY_NEW_PREVIEW:
            return (
                f"; to make a new one: photoindex redo ingest id:{photo_id} (or a query for many), then: photoindex scan, "
                f"then: photoindex {command}"
            )
        return ""
