"""The tasks of the embed stage: planning them, what their contents are, how many are left."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert as insert_or_ignore

from photoindex.store.files.files import join
from photoindex.store.schema.tables import asset, file, folder, task, variant, vector, volume
from photoindex.store.tasks.queue import has_state

STAGE = "embed"
FIRST, LATER = 0, 1
"""Priorities: contents that stand for a photo, then what belongs to these (the RAW of a JPEG, an edit's original, ...)."""

_KEYS = 500


@dataclass(frozen=True, slots=True)
class InTrouble:
    """A task that was given up: its content's digest, and when that was (UTC seconds since 1970)."""

    id: int
    digest: bytes
    updated_at: float


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose content it is: the photo, and the path of a file, None where all files are forgotten."""

    photo_id: int
    path: bytes | None


def find_variant(connection: Connection, key: str) -> int | None:
    """Return the variant of the embed stage with this key (JSON), None where nothing was ever planned for it."""
    found = connection.execute(select(variant.c.id).where(variant.c.stage == STAGE, variant.c.key == key)).scalar()
    return None if found is None else int(found)


def unplanned(connection: Connection, variant_id: int) -> array[int]:
    """Return the ids of all contents without a task of this variant, ascending; those without a preview are among them."""
    # Only ids and indexes are read here: the rows of a million contents are a gigabyte.
    return array(
        "q", sorted(connection.execute(select(asset.c.id).where(~_task_of_asset(variant_id).exists())).scalars())
    )


def plan(connection: Connection, variant_id: int, *, first: int, last: int) -> int:
    """Make the tasks of contents numbered `first` to `last` that have a preview and none yet; return how many."""
    chosen = select(
        literal("asset"), asset.c.id, literal(STAGE), literal(variant_id), literal("pending"), literal(0),
        case((asset.c.role == "primary", FIRST), else_=LATER), literal(time.time()),
    ).where(asset.c.id.between(first, last), _is_to_be_embedded())  # fmt: skip
    columns = [
        "subject_kind", "subject_id", "stage", "variant_id", "state", "attempts", "priority", "updated_at"
    ]  # fmt: skip
    statement = insert_or_ignore(task).from_select(columns, chosen).on_conflict_do_nothing()
    return connection.execute(statement).rowcount


def _is_to_be_embedded() -> ColumnElement[bool]:
    return and_(asset.c.derived.is_(True), asset.c.role != "superseded")


def _task_of_asset(variant_id: int) -> Select[tuple[int]]:
    return (
        select(task.c.id)
        .where(
            task.c.subject_kind == "asset",
            task.c.subject_id == asset.c.id,
            task.c.stage == STAGE,
            task.c.variant_id == variant_id,
        )
        .correlate(asset)
    )


def put_failed_back(connection: Connection, variant_id: int) -> int:
    """Make the failed tasks of a variant pending: the run that begins tries them again. Return how many."""
    statement = update(task).where(has_state("failed"), task.c.stage == STAGE, task.c.variant_id == variant_id)
    return connection.execute(statement.values(state="pending", updated_at=time.time())).rowcount


def given_up(connection: Connection, variant_id: int, error_classes: Sequence[str]) -> list[InTrouble]:
    """Return the quarantined tasks of a variant whose error is of one of these classes and that nobody dismissed."""
    statement = (
        select(task.c.id, asset.c.digest, task.c.updated_at)
        .join(asset, asset.c.id == task.c.subject_id)
        .where(
            has_state("quarantined"),
            task.c.stage == STAGE,
            task.c.variant_id == variant_id,
            task.c.error_class.in_(error_classes),
            task.c.dismissed_at.is_(None),
        )
    )
    return [InTrouble(*row) for row in connection.execute(statement)]


def try_again(connection: Connection, task_ids: Sequence[int]) -> None:
    """Make these tasks pending as if they had never been tried."""
    for start in range(0, len(task_ids), _KEYS):
        connection.execute(
            update(task)
            .where(task.c.id.in_(task_ids[start : start + _KEYS]))
            .values(state="pending", attempts=0, error_class=None, error=None, updated_at=time.time())
        )


def preview_was_made_anew(connection: Connection, asset_id: int) -> None:
    """Make the tasks of a content pending: its vectors came, or are just coming, from an earlier preview.

    Those vectors are searched until others take their place. What was given up is tried again too, with another preview it
    may go well, unless a person dismissed it.
    """
    connection.execute(
        update(task)
        .where(
            task.c.subject_kind == "asset",
            task.c.subject_id == asset_id,
            task.c.stage == STAGE,
            task.c.state.in_(("done", "running", "failed", "quarantined")),
            task.c.dismissed_at.is_(None),
        )
        .values(
            state="pending", attempts=0, lease_owner=None, lease_until=None, error_class=None, error=None,
            updated_at=time.time(),
        )
    )  # fmt: skip


def count_waiting(connection: Connection, variant_id: int) -> int:
    """Return how many tasks of a variant are pending."""
    of_variant = (has_state("pending"), task.c.stage == STAGE, task.c.variant_id == variant_id)
    return int(connection.execute(select(func.count()).select_from(task).where(*of_variant)).scalar_one())


def count_to_do(connection: Connection, variant_id: int | None) -> int:
    """Return how many contents a run would embed: with a preview, and neither done nor given up for this variant.

    variant_id: None where nothing was ever planned for it.
    """
    settled = _task_of_asset(-1 if variant_id is None else variant_id).where(task.c.state.in_(("done", "quarantined")))
    return _count_to_be_embedded(connection, select(asset.c.id).where(~settled.exists()))


def count_lacking(connection: Connection, space_id: int, variant_id: int) -> int:
    """Return how many contents with a preview have no vector in a space, those left out that were given up."""
    in_space = (
        select(vector.c.id).where(vector.c.space_id == space_id, vector.c.asset_id == asset.c.id).correlate(asset)
    )
    given_up = _task_of_asset(variant_id).where(task.c.state == "quarantined")
    return _count_to_be_embedded(connection, select(asset.c.id).where(~in_space.exists(), ~given_up.exists()))


def may_lack(connection: Connection, space_id: int) -> bool:
    """Tell, from a few counts of indexes, whether it is worth a `count_lacking`, which looks at every content.

    What has vectors and does not stand any more may hide as many contents that were taken in long ago and got a preview
    since; new ones are never hidden.
    """
    contents = select(func.count()).select_from(asset).scalar_subquery()
    # Word for word the condition of the partial index.
    without_preview = select(func.count()).select_from(asset).where(text("asset.derived = 0")).scalar_subquery()
    of_space = vector.c.space_id == space_id
    vectors = select(func.count()).select_from(vector).where(of_space).scalar_subquery()
    newest = select(func.max(asset.c.id)).scalar_subquery()
    newest_embedded = select(func.max(vector.c.asset_id)).where(of_space).scalar_subquery()
    missing = contents - without_preview > vectors
    return bool(connection.execute(select(or_(missing, newest > func.coalesce(newest_embedded, 0)))).scalar())


def count_given_up(connection: Connection, variant_id: int) -> int:
    """Return how many tasks of a variant are quarantined."""
    of_variant = (has_state("quarantined"), task.c.stage == STAGE, task.c.variant_id == variant_id)
    return int(connection.execute(select(func.count()).select_from(task).where(*of_variant)).scalar_one())


def _count_to_be_embedded(connection: Connection, asset_ids: Select[tuple[int]]) -> int:
    # Materialised, so that the conditions on indexes choose first, and only the rows that are left are read.
    chosen = asset_ids.cte("chosen").prefix_with("MATERIALIZED")
    statement = (
        select(func.count()).select_from(chosen).join(asset, asset.c.id == chosen.c.id).where(_is_to_be_embedded())
    )
    return int(connection.execute(statement).scalar_one())


def digests(connection: Connection, asset_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the digest of each content."""
    found: dict[int, bytes] = {}
    for start in range(0, len(asset_ids), _KEYS):
        statement = select(asset.c.id, asset.c.digest).where(asset.c.id.in_(asset_ids[start : start + _KEYS]))
        found.update((row.id, row.digest) for row in connection.execute(statement))
    return found


def held(connection: Connection, task_ids: Sequence[int], *, owner: str) -> dict[int, int]:
    """Return task id -> content of those of these tasks that `owner` still holds and whose content is still known."""
    found: dict[int, int] = {}
    for start in range(0, len(task_ids), _KEYS):
        statement = (
            select(task.c.id, asset.c.id.label("asset_id"))
            .join(asset, asset.c.id == task.c.subject_id)
            .where(task.c.id.in_(task_ids[start : start + _KEYS]), task.c.lease_owner == owner)
        )
        found.update((row.id, row.asset_id) for row in connection.execute(statement))
    return found


def origin_of(connection: Connection, asset_id: int) -> Origin:
    """Return where a content comes from; of its files one that is present where there is one."""
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
    return Origin(row.photo_id, None if row.name is None else join(row.mount_point, row.path, row.name))


def attempts(connection: Connection, task_ids: Sequence[int]) -> dict[int, int]:
    """Return how often each of these tasks was tried, this time included."""
    found: dict[int, int] = {}
    for start in range(0, len(task_ids), _KEYS):
        statement = select(task.c.id, task.c.attempts).where(task.c.id.in_(task_ids[start : start + _KEYS]))
        found.update((row.id, row.attempts) for row in connection.execute(statement))
    return found
