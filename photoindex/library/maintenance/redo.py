"""Do a stage's finished work again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.maintenance.tasks import check_stage
from photoindex.library.search.find import matching_photo_ids
from photoindex.store.tasks.admin import redo as redo_tasks
from photoindex.store.tasks.admin import redoable, redoable_of_photos

BATCH_TASKS = 2000
BATCH_PHOTOS = 400
"""Photos of one statement; SQLite takes some thousand parameters."""


def redo(library: Library, stage: str, query: Sequence[str] = (), *, dry_run: bool = False) -> int:
    """Make a stage's tasks pending, done ones too, of all files or of the photos that a query matches; return how many.

    Files that are missing are left alone. Each batch is a transaction of its own: a redo that is cut short has put back
    some, and doing it again puts back the rest. Raises UsageError for an unknown stage or a query that cannot be read.
    """
    with library.database.read() as connection:
        check_stage(connection, stage)
    if not query:
        return _redo_all(library, stage, dry_run=dry_run)
    photo_ids = matching_photo_ids(library, query)
    count = 0
    for start in range(0, len(photo_ids), BATCH_PHOTOS):
        chosen = photo_ids[start : start + BATCH_PHOTOS]
        with library.database.write() as connection:
            count += _put_back(connection, redoable_of_photos(connection, stage, chosen), dry_run=dry_run)
    return count


def _redo_all(library: Library, stage: str, *, dry_run: bool) -> int:
    count = last_id = 0
    while True:
        with library.database.write() as connection:
            task_ids = redoable(connection, stage, after_id=last_id, rows=BATCH_TASKS)
            count += _put_back(connection, task_ids, dry_run=dry_run)
        if not task_ids:
            return count
        last_id = task_ids[-1]


def _put_back(connection: Connection, task_ids: Sequence[int], *, dry_run: bool) -> int:
    return len(task_ids) if dry_run or not task_ids else redo_tasks(connection, task_ids)
