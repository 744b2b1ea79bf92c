"""Queues the finished tasks of a stage again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from photoindex.domain.same_picture.hashes import VERSION
from photoindex.library.handle import Library
from photoindex.library.maintenance.tasks import check_stage
from photoindex.library.search.find import matching_photo_ids
from photoindex.stages import hash as hash_stage
from photoindex.store.photos import hashes
from photoindex.store.tasks.admin import FINISHED, redoable, redoable_of_photos
from photoindex.store.tasks.admin import redo as redo_tasks

GIVEN_UP = ("failed", "quarantined")
BATCH_TASKS = 2000
BATCH_PHOTOS = 400
"""Photos per statement; SQLite limits the number of parameters."""


def redo(library: Library, stage: str, query: Sequence[str] = (), *, dry_run: bool = False) -> int:
    """Make a stage's tasks pending, including done ones, for all files or the photos that a query matches; return how many.

    Missing files are left alone. Each batch is its own transaction: after an interrupted redo, run it again to queue the
    rest. Raises UsageError for an unknown stage or a query that cannot be parsed.
    """
    with library.database.read() as connection:
        check_stage(connection, stage)
    photo_ids = matching_photo_ids(library, query) if query else None
    # Most hashes are made while a file is read and have no task: those that exist count, and the tasks that have none.
    made = _withdraw_hashes(library, photo_ids, dry_run=dry_run) if stage == hash_stage.STAGE.name else 0
    states = GIVEN_UP if stage == hash_stage.STAGE.name else FINISHED
    if photo_ids is None:
        return made + _redo_all(library, stage, states, dry_run=dry_run)
    count = made
    for start in range(0, len(photo_ids), BATCH_PHOTOS):
        chosen = photo_ids[start : start + BATCH_PHOTOS]
        with library.database.write() as connection:
            task_ids = redoable_of_photos(connection, stage, chosen, states=states)
            count += _requeue(connection, task_ids, dry_run=dry_run)
    return count


def _withdraw_hashes(library: Library, photo_ids: Sequence[int] | None, *, dry_run: bool) -> int:
    with library.database.write() as connection:
        return hashes.make_again(connection, photo_ids, version=VERSION, dry_run=dry_run)


def _redo_all(library: Library, stage: str, states: Sequence[str], *, dry_run: bool) -> int:
    count = last_id = 0
    while True:
        with library.database.write() as connection:
            task_ids = redoable(connection, stage, after_id=last_id, rows=BATCH_TASKS, states=states)
            count += _requeue(connection, task_ids, dry_run=dry_run)
        if not task_ids:
            return count
        last_id = task_ids[-1]


def _requeue(connection: Connection, task_ids: Sequence[int], *, dry_run: bool) -> int:
    return len(task_ids) if dry_run or not task_ids else redo_tasks(connection, task_ids)
