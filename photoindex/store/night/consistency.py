"""Rows that contradict each other although every foreign key holds, and how to put them right."""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, literal, or_, select, update

from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.schema.tables import asset, file, task, variant

_INGEST = "ingest"


def _subject_is_gone() -> ColumnElement[bool]:
    file_exists = exists().where(file.c.id == task.c.subject_id)
    asset_exists = exists().where(asset.c.id == task.c.subject_id)
    return or_(and_(task.c.subject_kind == "file", ~file_exists), and_(task.c.subject_kind == "asset", ~asset_exists))


def count_tasks_without_subject(connection: Connection) -> int:
    """Return how many tasks are for a file or content that is no longer in the library."""
    return int(connection.execute(select(func.count()).select_from(task).where(_subject_is_gone())).scalar_one())


def remove_tasks_without_subject(connection: Connection) -> int:
    """Remove them and return how many there were."""
    return int(connection.execute(delete(task).where(_subject_is_gone())).rowcount)


def _is_unread() -> ColumnElement[bool]:
    """Return the condition that a file is present without a content, and that no task of reading will give it one."""
    of_file = and_(task.c.subject_kind == "file", task.c.subject_id == file.c.id, task.c.stage == _INGEST)
    open_task = exists().where(of_file, task.c.state != "done")
    without_content = or_(file.c.media.is_(None), and_(file.c.media.is_(True), file.c.asset_id.is_(None)))
    return and_(file.c.state == "present", without_content, ~open_task)


def count_unread_files(connection: Connection) -> int:
    """Return how many present files have no content, and are not waiting to be read."""
    return int(connection.execute(select(func.count()).select_from(file).where(_is_unread())).scalar_one())


def queue_unread_files(connection: Connection) -> int:
    """Queue these files for the next scan and return how many there are."""
    known = connection.execute(select(func.max(variant.c.id)).where(variant.c.stage == _INGEST)).scalar()
    unread = list(connection.execute(select(file.c.id).where(_is_unread())).scalars())
    if known is None or not unread:
        return 0
    now = time.time()
    connection.execute(
        update(task)
        .where(task.c.subject_kind == "file", task.c.stage == _INGEST, task.c.subject_id.in_(numbers(unread)))
        .values(state="pending", attempts=0, not_before=None, updated_at=now)
    )
    columns = ["subject_kind", "subject_id", "stage", "variant_id", "state", "attempts", "priority", "updated_at"]
    rows = select(
        literal("file"), file.c.id, literal(_INGEST), literal(int(known)), literal("pending"), literal(0),
        literal(0), literal(now),
    ).where(_is_unread())  # fmt: skip
    connection.execute(upsert(task).from_select(columns, rows).on_conflict_do_nothing())
    return len(unread)
