"""Writing what came of a batch: vectors and the state of their tasks in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from photoindex.pipeline.embed.messages import Encoded
from photoindex.pipeline.embed.prefetch import DAMAGED, MISSING
from photoindex.pipeline.embed.suspects import CRASHING
from photoindex.progress import FileQuarantined
from photoindex.store.tasks import embed_tasks, queue
from photoindex.store.vectors import vectors
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.types import Failure

MADE_ANEW = (MISSING, DAMAGED, CRASHING)
"""Error classes that a new preview heals."""

_MAX_ATTEMPTS = 3


@dataclass(slots=True)
class Recorded:
    """What was written: vectors, tasks that the next run tries again, and what was given up."""

    embedded: int = 0
    failed: int = 0
    quarantined: list[FileQuarantined] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BatchCommitter:
    """Writes batches of a space for `owner`; seconds_each: what one content took."""

    space: SpaceRow
    owner: str
    seconds_each: float

    def record(self, connection: Connection, encoded: Encoded) -> Recorded:
        """Write a batch; what was forgotten or taken by somebody else meanwhile is left out."""
        failing = [task_id for task_id, _failure in encoded.failures]
        held = embed_tasks.held(connection, [*encoded.task_ids, *failing], owner=self.owner)
        kept = [position for position, task_id in enumerate(encoded.task_ids) if task_id in held]
        vectors.put(
            connection,
            self.space.id,
            [vectors.NewVector(held[encoded.task_ids[position]], encoded.vectors[position]) for position in kept],
        )
        done = [(encoded.task_ids[position], self.seconds_each) for position in kept]
        queue.finish(connection, owner=self.owner, variant_id=self.space.variant_id, done=done)
        recorded = Recorded(embedded=len(kept))
        attempts = embed_tasks.attempts(connection, failing)
        for task_id, failure in encoded.failures:
            if task_id in held:
                final = not failure.retry or attempts[task_id] >= _MAX_ATTEMPTS
                told = self._fail(connection, task_id, held[task_id], failure, final=final)
                if final:
                    recorded.quarantined.append(told)
                else:
                    recorded.failed += 1
        return recorded

    def _fail(
        self, connection: Connection, task_id: int, asset_id: int, failure: Failure, *, final: bool
    ) -> FileQuarantined:
        origin = embed_tasks.origin_of(connection, asset_id)
        named = replace(failure, message=failure.message + _remedy(failure, origin.photo_id))
        queue.fail(connection, task_id, owner=self.owner, failure=named, seconds=self.seconds_each, final=final)
        return FileQuarantined(origin.path or b"", named.error_class, named.message)


def _remedy(failure: Failure, photo_id: int) -> str:
    if failure.error_class not in MADE_ANEW:
        return ""
    return (
        f"; make it anew: photoindex redo ingest id:{photo_id} (or a query for many), then: photoindex scan, then: photoindex "
        "embed"
    )
