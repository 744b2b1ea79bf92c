"""Tasks of stages whose subject is a content: planning, counting, resetting, and looking up their contents."""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Insert,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    select,
    true,
    union,
    update,
)

from photoindex.store.engine import predicates
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.predicates import has_state
from photoindex.store.engine.statements import fetch_numbers, materialized, numbers, upsert
from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, task, variant, volume

FIRST, LATER = 0, 1
"""Priorities: contents that represent a photo, then its other contents (the RAW of a JPEG, an edit's original)."""

_KEYS = 500


@dataclass(frozen=True, slots=True)
class StageVariant:
    """One variant of a stage; selects its tasks. after: the stage whose results it reads, empty if it reads previews.

    after_variant: the only variant of that stage whose results it reads; None for any.
    """

    stage: str
    variant_id: int
    after: str = ""
    after_variant: int | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A quarantined task: the digest of its content, and when it was quarantined (UTC seconds since 1970)."""

    id: int
    digest: bytes
    updated_at: float


@dataclass(frozen=True, slots=True)
class ContentOrigin:
    """Where a content comes from: its photo and the path of a file, None if all its files were forgotten."""

    photo_id: int
    path: bytes | None


def unplanned(connection: Connection, of: StageVariant) -> array[int]:
    """Return the ids of all contents without a task, ascending, including those without a preview."""
    # This reads only ids and indexes: the rows of a million contents are a gigabyte.
    without_task = select(asset.c.id).where(~task_of_asset(of).exists())
    return array("q", sorted(fetch_numbers(connection, without_task)))


def plan(connection: Connection, of: StageVariant, *, first: int, last: int) -> int:
    """Create tasks for the contents with ids `first` to `last` that are ready and have no task yet; return how many."""
    return connection.execute(_insert_tasks(of, and_(asset.c.id.between(first, last), is_ready(of)))).rowcount


def _insert_tasks(of: StageVariant, contents: ColumnElement[bool]) -> Insert:
    chosen = select(
        literal("asset"), asset.c.id, literal(of.stage), literal(of.variant_id), literal("pending"), literal(0),
        case((asset.c.role == "primary", FIRST), else_=LATER), literal(time.time()),
    ).where(contents)  # fmt: skip
    columns = [
        "subject_kind", "subject_id", "stage", "variant_id", "state", "attempts", "priority", "updated_at"
    ]  # fmt: skip
    return upsert(task).from_select(columns, chosen).on_conflict_do_nothing()


def plan_only(connection: Connection, of: StageVariant, asset_ids: Sequence[int]) -> int:
    """Make these contents the only ones with a pending task, except those that are done or given up; return how many."""
    wanted = numbers(asset_ids)
    of_others = (_of(of), task.c.state.in_(("pending", "failed")), task.c.subject_id.not_in(wanted))
    connection.execute(delete(task).where(*of_others))
    put_failed_back(connection, of)
    connection.execute(_insert_tasks(of, asset.c.id.in_(wanted)))
    return count_waiting(connection, of)


def is_ready(of: StageVariant) -> ColumnElement[bool]:
    """Return the condition that a content has what the stage reads."""
    if not of.after:
        return has_usable_preview()
    earlier = task.alias("earlier")
    of_variant = true() if of.after_variant is None else earlier.c.variant_id == of.after_variant
    return (
        select(earlier.c.id)
        .where(
            earlier.c.subject_kind == "asset",
            earlier.c.subject_id == asset.c.id,
            earlier.c.stage == of.after,
            earlier.c.state == "done",
            of_variant,
        )
        .correlate(asset)
        .exists()
    )


def has_usable_preview() -> ColumnElement[bool]:
    """Return the condition that a content has a preview and was not superseded by a newer one."""
    return and_(asset.c.derived.is_(True), asset.c.role != "superseded")


def task_of_asset(of: StageVariant) -> Select[tuple[int]]:
    """Return a query for the task of a content, to use inside a query of contents."""
    return (
        select(task.c.id)
        .where(
            task.c.subject_kind == "asset",
            task.c.subject_id == asset.c.id,
            task.c.stage == of.stage,
            task.c.variant_id == of.variant_id,
        )
        .correlate(asset)
    )


def _of(of: StageVariant) -> ColumnElement[bool]:
    return and_(task.c.stage == of.stage, task.c.variant_id == of.variant_id)


def put_failed_back(connection: Connection, of: StageVariant) -> int:
    """Reset failed tasks to pending, so that the run that is starting retries them; return how many."""
    statement = update(task).where(has_state("failed"), _of(of))
    return connection.execute(statement.values(state="pending", updated_at=time.time())).rowcount


def given_up(connection: Connection, of: StageVariant, error_classes: Sequence[str]) -> list[GivenUp]:
    """Return the quarantined tasks with one of these error classes that nobody dismissed."""
    statement = (
        select(task.c.id, asset.c.digest, task.c.updated_at)
        .join(asset, asset.c.id == task.c.subject_id)
        .where(has_state("quarantined"), _of(of), task.c.error_class.in_(error_classes), task.c.dismissed_at.is_(None))
    )
    return [GivenUp(*row) for row in connection.execute(statement)]


def try_again(connection: Connection, task_ids: Sequence[int]) -> None:
    """Reset these tasks to pending, as if never tried."""
    for some in chunks(task_ids, _KEYS):
        connection.execute(
            update(task)
            .where(task.c.id.in_(some))
            .values(state="pending", attempts=0, error_class=None, error=None, updated_at=time.time())
        )


def reset_after_new_preview(connection: Connection, asset_id: int, stages: Collection[str]) -> None:
    """Reset a content's tasks of `stages` to pending: their results are, or will be, from an earlier preview.

    Those results stay in use until replaced. Quarantined tasks are reset too, because the new preview may work, unless a
    person dismissed them.
    """
    connection.execute(
        update(task)
        .where(
            task.c.subject_kind == "asset",
            task.c.subject_id == asset_id,
            task.c.stage.in_(stages),
            task.c.state.in_(("done", "running", "failed", "quarantined")),
            task.c.dismissed_at.is_(None),
        )
        .values(
            state="pending", attempts=0, lease_owner=None, lease_until=None, error_class=None, error=None,
            updated_at=time.time(),
        )
    )  # fmt: skip


def reset_done(connection: Connection, asset_id: int, stage: str, variant_id: int) -> None:
    """Reset a content's finished task of one variant to pending: its result was removed."""
    connection.execute(
        update(task)
        .where(
            task.c.subject_kind == "asset",
            task.c.subject_id == asset_id,
            task.c.stage == stage,
            task.c.variant_id == variant_id,
            has_state("done"),
        )
        .values(state="pending", attempts=0, updated_at=time.time())
    )


def forget_other_variants(connection: Connection, stage: str, asset_ids: Sequence[int], *, kept: Sequence[int]) -> None:
    """Remove the tasks of contents whose variant is not among `kept`: their results were replaced."""
    of_contents = task.c.subject_id.in_(numbers(asset_ids))
    connection.execute(
        delete(task).where(
            task.c.subject_kind == "asset", of_contents, task.c.stage == stage, task.c.variant_id.not_in(kept)
        )
    )


def count_waiting(connection: Connection, of: StageVariant) -> int:
    """Return how many tasks are pending."""
    return _count(connection, has_state("pending"), _of(of))


def count_given_up(connection: Connection, of: StageVariant) -> int:
    """Return how many tasks are quarantined."""
    return _count(connection, has_state("quarantined"), _of(of))


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(task).where(*conditions)).scalar_one())


def count_to_do(connection: Connection, of: StageVariant) -> int:
    """Return how many contents a run would process: ready, and neither done nor quarantined."""
    finished = and_(task.c.variant_id == of.variant_id, task.c.state.in_(("done", "quarantined")))
    contents = select(task.c.subject_id).where(task.c.subject_kind == "asset", task.c.stage == of.stage, finished)
    if not of.after:
        return count_usable_without(connection, contents, _count(connection, finished))
    if not _count(connection, finished) and of.after_variant is not None:
        return _count(connection, task.c.variant_id == of.after_variant, task.c.state == "done")
    with_finished = task_of_asset(of).where(task.c.state.in_(("done", "quarantined")))
    # Materialised, so that the indexed conditions are evaluated first and only the remaining rows are read.
    chosen = materialized(select(asset.c.id).where(~with_finished.exists()), "chosen")
    statement = select(func.count()).select_from(chosen).join(asset, asset.c.id == chosen.c.id).where(is_ready(of))
    return int(connection.execute(statement).scalar_one())


def to_ask(connection: Connection, of: StageVariant) -> list[int]:
    """Return the contents that represent a photo, are ready, and are neither done nor quarantined, by id."""
    return [row.id for row in connection.execute(_unfinished(of).where(asset.c.role == "primary"))]


def unfinished_among(connection: Connection, of: StageVariant, asset_ids: Collection[int]) -> list[int]:
    """Return those of the contents that are ready, and neither done nor quarantined, by id."""
    return [row.id for row in connection.execute(_unfinished(of).where(asset.c.id.in_(numbers(asset_ids))))]


def _unfinished(of: StageVariant) -> Select[tuple[int]]:
    finished = task_of_asset(of).where(task.c.state.in_(("done", "quarantined")))
    return select(asset.c.id).where(is_ready(of), ~finished.exists()).order_by(asset.c.id)


def failed_or_given_up(connection: Connection, of: StageVariant) -> set[int]:
    """Return the contents for which a stage failed, whether a later run tries them again or not."""
    chosen = select(task.c.subject_id).where(_of(of), task.c.state.in_(("failed", "quarantined")))
    return set(connection.execute(chosen).scalars())


def count_never_planned(connection: Connection, stage: str) -> int:
    """Return how many contents with a preview have no task of a stage, of any variant."""
    variants = connection.execute(select(variant.c.id).where(variant.c.stage == stage)).scalars().all()
    planned = select(task.c.subject_id).where(task.c.subject_kind == "asset", task.c.stage == stage)
    if len(variants) == 1:
        return count_usable_without(connection, planned, _count(connection, task.c.variant_id == variants[0]))
    contents = planned.distinct()
    return count_usable_without(connection, contents, _number_of(connection, contents) if variants else 0)


def count_usable_without(connection: Connection, contents: Select[tuple[int]], number: int) -> int:
    """Return how many contents have a usable preview and are not among `number` others, each selected once.

    The rows of a million contents are a gigabyte; this reads indexes, and the few contents without a usable preview.
    """
    (content_id,) = contents.selected_columns
    without = select(asset.c.id).where(predicates.without_preview())
    unusable = union(without, select(asset.c.id).where(predicates.is_superseded()))
    usable = _number_of(connection, select(asset.c.id)) - _number_of(connection, unusable)
    unusable_there = _number_of(connection, contents.where(content_id.in_(unusable))) if number else 0
    return usable - (number - unusable_there)


def _number_of(connection: Connection, rows: Select[tuple[int]] | CompoundSelect[tuple[int]]) -> int:
    return int(connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one())


def digests(connection: Connection, asset_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the digest of each content."""
    found: dict[int, bytes] = {}
    for some in chunks(asset_ids, _KEYS):
        statement = select(asset.c.id, asset.c.digest).where(asset.c.id.in_(some))
        found.update((row.id, row.digest) for row in connection.execute(statement))
    return found


def held(connection: Connection, task_ids: Sequence[int], *, owner: str) -> dict[int, int]:
    """Return task id -> content id for the tasks that `owner` still holds and whose content still exists."""
    found: dict[int, int] = {}
    for some in chunks(task_ids, _KEYS):
        statement = (
            select(task.c.id, asset.c.id.label("asset_id"))
            .join(asset, asset.c.id == task.c.subject_id)
            .where(task.c.id.in_(some), task.c.lease_owner == owner)
        )
        found.update((row.id, row.asset_id) for row in connection.execute(statement))
    return found


def origin_of(connection: Connection, asset_id: int) -> ContentOrigin:
    """Return where a content comes from; its path is that of a present file if there is one."""
    row = connection.execute(
        select(asset.c.photo_id, volume.c.mount_point, folder.c.path, file.c.name)
        .select_from(asset)
        .outerjoin(file, file.c.asset_id == asset.c.id)
        .outerjoin(folder, folder.c.id == file.c.folder_id)
        .outerjoin(volume, volume.c.id == folder.c.volume_id)
        .where(asset.c.id == asset_id)
        .order_by(file.c.state != "present", file.c.id)
        .limit(1)
    ).one()
    return ContentOrigin(row.photo_id, None if row.name is None else join(row.mount_point, row.path, row.name))
