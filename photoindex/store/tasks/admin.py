"""Reading the task table, and resetting tasks on request."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, update

from photoindex.store.engine.predicates import has_state
from photoindex.store.files.files import join
from photoindex.store.files.locations import Location, folder_is_within
from photoindex.store.journal.journal import record, updates_as_changes
from photoindex.store.schema.tables import asset, file, folder, task, variant, volume

DISMISSED = "dismissed"
"""In filters, the state of quarantined tasks that a person dismissed; stored as quarantined with `dismissed_at`."""

PAGE_ROWS = 1000
_TROUBLE = frozenset({"failed", "quarantined", DISMISSED})


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks: all given conditions must match; None or an empty tuple matches every task.

    states: names of `TaskState` and DISMISSED. file_ids: single files. locations: files or folders; matches
    everything in or below them. runnable: not tasks of files that are gone. DISMISSED and an empty `states` match dismissed tasks; "quarantined" does not.
    """

    stage: str | None = None
    states: tuple[str, ...] = ()
    error_class: str | None = None
    file_ids: tuple[int, ...] = ()
    locations: tuple[Location, ...] = ()
    runnable: bool = False


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task as stored; `path` is that of a file of the subject, None for a task of the whole library.

    seconds: duration of the last attempt. updated_at, dismissed_at: UTC seconds since 1970. variant: everything that
    changes the stage's result.
    """

    id: int
    stage: str
    subject_kind: str
    subject_id: int
    path: bytes | None
    state: str
    attempts: int
    error_class: str | None
    error: str | None
    seconds: float | None
    updated_at: float
    dismissed_at: float | None
    variant: Any

    @property
    def label(self) -> str:
        """The state as shown to people."""
        return self.state if self.dismissed_at is None else DISMISSED


def page_of_tasks(connection: Connection, wanted: TaskFilter, *, after_id: int, rows: int) -> list[TaskRow]:
    """Return up to `rows` matching tasks with an id above `after_id`, ordered by id."""
    in_trouble = bool(wanted.states) and _TROUBLE.issuperset(wanted.states)
    # Failed and quarantined tasks are few and have a partial index; `+ 0` keeps SQLite from using the id range instead.
    task_id = task.c.id + 0 if in_trouble else task.c.id
    statement = _selection().where(task_id > after_id, condition(wanted)).order_by(task.c.id).limit(rows)
    return [_task_row(row) for row in connection.execute(statement)]


def tasks_of(connection: Connection, *, file_ids: Sequence[int], asset_ids: Sequence[int]) -> list[TaskRow]:
    """Return the tasks of some files and assets, by stage."""
    of_subjects = or_(
        and_(task.c.subject_kind == "file", task.c.subject_id.in_(file_ids)),
        and_(task.c.subject_kind == "asset", task.c.subject_id.in_(asset_ids)),
    )
    return [
        _task_row(row) for row in connection.execute(_selection().where(of_subjects).order_by(task.c.stage, task.c.id))
    ]


def _selection() -> Select[Any]:
    file_of_asset = (
        select(func.min(file.c.id)).where(file.c.asset_id == task.c.subject_id).correlate(task).scalar_subquery()
    )
    subject_file = case(
        (task.c.subject_kind == "file", task.c.subject_id), (task.c.subject_kind == "asset", file_of_asset)
    )
    return (
        select(task, variant.c.key, volume.c.mount_point, folder.c.path.label("folder_path"), file.c.name)
        .join(variant, variant.c.id == task.c.variant_id)
        .outerjoin(file, file.c.id == subject_file)
        .outerjoin(folder, folder.c.id == file.c.folder_id)
        .outerjoin(volume, volume.c.id == folder.c.volume_id)
    )


def _task_row(row: Any) -> TaskRow:
    return TaskRow(
        id=row.id,
        stage=row.stage,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        path=None if row.name is None else join(row.mount_point, row.folder_path, row.name),
        state=row.state,
        attempts=row.attempts,
        error_class=row.error_class,
        error=row.error,
        seconds=row.seconds,
        updated_at=row.updated_at,
        dismissed_at=row.dismissed_at,
        variant=json.loads(row.key),
    )


def condition(wanted: TaskFilter) -> ColumnElement[bool]:
    """Return `wanted` as a condition that uses only the columns of the task table."""
    parts: list[ColumnElement[bool]] = []
    if wanted.stage is not None:
        parts.append(task.c.stage == wanted.stage)
    if wanted.states:
        parts.append(or_(*(_in_state(state) for state in wanted.states)))
    if wanted.error_class is not None:
        parts.append(task.c.error_class == wanted.error_class)
    if wanted.file_ids or wanted.locations:
        files = _files_of(wanted)
        parts.append(
            or_(
                and_(task.c.subject_kind == "file", task.c.subject_id.in_(files.with_only_columns(file.c.id))),
                and_(task.c.subject_kind == "asset", task.c.subject_id.in_(files.with_only_columns(file.c.asset_id))),
            )
        )
    if wanted.runnable:
        present = select(file.c.id).where(file.c.id == task.c.subject_id, file.c.state == "present").correlate(task)
        parts.append(or_(task.c.subject_kind != "file", present.exists()))
    return and_(True, *parts)  # noqa: FBT003


def _in_state(state: str) -> ColumnElement[bool]:
    if state == DISMISSED:
        return and_(has_state("quarantined"), task.c.dismissed_at.is_not(None))
    if state == "quarantined":
        return and_(has_state("quarantined"), task.c.dismissed_at.is_(None))
    return has_state(state)


def _files_of(wanted: TaskFilter) -> Select[Any]:
    within = [folder_is_within(location) for location in wanted.locations]
    return (
        select(file.c.id)
        .join(folder, folder.c.id == file.c.folder_id)
        .where(or_(file.c.id.in_(wanted.file_ids), *within))
    )


def stages_known(connection: Connection) -> set[str]:
    """Return the stages for which this library has ever planned tasks."""
    return set(connection.execute(select(variant.c.stage).distinct()).scalars())


def stages_waiting(connection: Connection) -> set[str]:
    """Return the stages that have pending tasks."""
    return set(connection.execute(select(task.c.stage).where(has_state("pending")).distinct()).scalars())


def variants_waiting(connection: Connection, stage: str) -> list[str]:
    """Return the keys of the variants of a stage that have pending tasks, oldest first."""
    waiting = select(task.c.variant_id).where(has_state("pending"), task.c.stage == stage)
    return list(
        connection.execute(select(variant.c.key).where(variant.c.id.in_(waiting)).order_by(variant.c.id)).scalars()
    )


def count_waiting_by_variant(connection: Connection, stage: str) -> dict[str, int]:
    """Return the number of tasks that the next run of each variant of a stage would do, by the variant's key."""
    waiting = (
        select(variant.c.key, func.count().label("number"))
        .join(variant, variant.c.id == task.c.variant_id)
        .where(or_(has_state("pending"), has_state("failed")), task.c.stage == stage)
        .group_by(variant.c.id)
        .order_by(variant.c.id)
    )
    return {row.key: row.number for row in connection.execute(waiting)}


def count_tasks_matching(connection: Connection, wanted: TaskFilter) -> int:
    """Return how many tasks match."""
    return int(connection.execute(select(func.count()).select_from(task).where(condition(wanted))).scalar_one())


def put_back(connection: Connection, wanted: TaskFilter) -> int:
    """Reset the matching tasks to pending, as if never tried; return how many."""
    return int(connection.execute(update(task).where(condition(wanted)).values(**_reset_values())).rowcount)


FINISHED = ("done", "failed", "quarantined")
"""States of tasks that can be redone; pending and running ones will be done anyway."""


def redoable(
    connection: Connection, stage: str, *, after_id: int, rows: int, states: Sequence[str] = FINISHED
) -> list[int]:
    """Return the ids, above `after_id`, of up to `rows` tasks of a stage that can be redone."""
    statement = (
        select(task.c.id)
        .where(task.c.id > after_id, task.c.stage == stage, _can_be_redone(states))
        .order_by(task.c.id)
        .limit(rows)
    )
    return list(connection.execute(statement).scalars())


def redoable_of_photos(
    connection: Connection, stage: str, photo_ids: Sequence[int], *, states: Sequence[str] = FINISHED
) -> list[int]:
    """Return the ids of a stage's tasks of these photos (their present files and their assets) that can be redone."""
    assets = select(asset.c.id).where(asset.c.photo_id.in_(photo_ids))
    files = select(file.c.id).where(file.c.asset_id.in_(assets))
    of_photos = or_(
        and_(task.c.subject_kind == "file", task.c.subject_id.in_(files)),
        and_(task.c.subject_kind == "asset", task.c.subject_id.in_(assets)),
    )
    statement = select(task.c.id).where(of_photos, task.c.stage == stage, _can_be_redone(states))
    return list(connection.execute(statement).scalars())


def _can_be_redone(states: Sequence[str]) -> ColumnElement[bool]:
    """Tell which tasks are in these states; a file that is not present cannot be read."""
    present = select(file.c.id).where(file.c.id == task.c.subject_id, file.c.state == "present").correlate(task)
    return and_(task.c.state.in_(states), or_(task.c.subject_kind != "file", present.exists()))


def redo(connection: Connection, task_ids: Sequence[int]) -> int:
    """Reset tasks to pending, also done ones, and have the pixels of ingested files decoded again; return how many."""
    chosen = task.c.id.in_(task_ids)
    # The pipeline does not decode a content that has a preview.
    ingested = (
        select(file.c.asset_id)
        .join(task, and_(task.c.subject_kind == "file", task.c.subject_id == file.c.id))
        .where(chosen, task.c.stage == "ingest", file.c.asset_id.is_not(None))
    )
    connection.execute(update(asset).where(asset.c.id.in_(ingested)).values(derived=False))
    return int(connection.execute(update(task).where(chosen).values(**_reset_values())).rowcount)


def _reset_values() -> dict[str, Any]:
    return {
        "state": "pending",
        "attempts": 0,
        "lease_owner": None,
        "lease_until": None,
        "not_before": None,
        "error_class": None,
        "error": None,
        "dismissed_at": None,
        "updated_at": time.time(),
    }


def dismiss(connection: Connection, wanted: TaskFilter, *, at: float, command: str, summary: str) -> None:
    """Mark the matching quarantined tasks as dismissed at `at` (UTC seconds), and record it in the journal."""
    chosen = and_(condition(wanted), _in_state("quarantined"))
    values = {"dismissed_at": at}
    changes = updates_as_changes(connection, task, select(task).where(chosen), values)
    record(connection, command=command, summary=summary, changes=changes)
    connection.execute(update(task).where(chosen).values(values))
