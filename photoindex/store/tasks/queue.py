"""The task table: claiming tasks under a lease, finishing them, giving them back."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from photoindex.store.engine.database import new_id
from photoindex.store.engine.predicates import has_state
from photoindex.store.schema.tables import task, variant
from photoindex.types import Failure

Subjects = Select[tuple[int]]
"""A query of subject ids."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One task that this process holds; the next claim continues after `id`. attempts: number before this one."""

    id: int
    subject_id: int
    attempts: int


def find_variant(connection: Connection, stage: str, parameters: Mapping[str, Any]) -> int | None:
    """Return the id of the variant of `stage` with exactly these parameters, None if it does not exist."""
    of_stage = select(variant.c.id).where(variant.c.stage == stage, variant.c.key == _key(parameters))
    return connection.execute(of_stage).scalar_one_or_none()


def ensure_variant(connection: Connection, stage: str, parameters: Mapping[str, Any]) -> int:
    """Return the id of the variant of `stage` with exactly these parameters; create it if it does not exist."""
    found = find_variant(connection, stage, parameters)
    if found is not None:
        return found
    made = connection.execute(insert(variant).values(stage=stage, key=_key(parameters), created_at=time.time()))
    return new_id(made)


def variants(connection: Connection, stage: str) -> dict[int, str]:
    """Return the variants of a stage: id -> key (JSON)."""
    return {
        row.id: row.key
        for row in connection.execute(select(variant.c.id, variant.c.key).where(variant.c.stage == stage))
    }


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Which tasks to claim: up to `limit` pending ones of a stage and priority, by ascending id above `after_id`.

    `subjects` restricts them to those subject ids, `variant_id` to one variant.
    """

    stage: str
    priority: int
    limit: int
    lease_seconds: float
    after_id: int = 0
    subjects: Subjects | None = None
    variant_id: int | None = None


def claim(connection: Connection, wanted: ClaimRequest, *, owner: str) -> list[Claimed]:
    """Claim tasks for `owner` until finished, failed, given back or the lease ends. Call in a write transaction."""
    # Equality on the index's first columns and a range on its last: SQLite continues where the previous claim ended.
    pick = (
        select(task.c.id)
        .where(
            task.c.stage == wanted.stage,
            has_state("pending"),
            task.c.priority == wanted.priority,
            task.c.id > wanted.after_id,
        )
        .order_by(task.c.id)
        .limit(wanted.limit)
        .with_for_update(skip_locked=True)  # SQLite has one writer and omits it
    )
    if wanted.subjects is not None:
        pick = pick.where(task.c.subject_id.in_(wanted.subjects))
    if wanted.variant_id is not None:
        # A sum, so that no index on the variant is used: those on the state have the order.
        pick = pick.where(task.c.variant_id + 0 == wanted.variant_id)
    picked = pick.cte("pick")
    now = time.time()
    statement = (
        update(task)
        .where(task.c.id == picked.c.id)
        .values(
            state="running", lease_owner=owner, lease_until=now + wanted.lease_seconds, updated_at=now,
            attempts=task.c.attempts + 1,
        )
        .returning(task.c.id, task.c.subject_id, task.c.attempts - 1)
    )  # fmt: skip
    return sorted((Claimed(*row) for row in connection.execute(statement)), key=lambda claimed: claimed.id)


def finish(connection: Connection, *, owner: str, variant_id: int, done: Sequence[tuple[int, float]]) -> None:
    """Mark tasks (id, seconds) as done if `owner` still holds them; tasks whose lease was lost stay as they are."""
    if done:
        connection.execute(
            update(task)
            .where(task.c.id == bindparam("task_id"), task.c.lease_owner == owner)
            .values(
                state="done", variant_id=variant_id, seconds=bindparam("took"), lease_owner=None, lease_until=None,
                error_class=None, error=None, dismissed_at=None, updated_at=time.time(),
            ),
            [{"task_id": task_id, "took": seconds} for task_id, seconds in done],
        )  # fmt: skip


def fail(connection: Connection, task_id: int, *, owner: str, failure: Failure, seconds: float, final: bool) -> None:
    """Mark a task as quarantined (`final`) or as failed, which the next run retries."""
    connection.execute(
        update(task)
        .where(task.c.id == task_id, task.c.lease_owner == owner)
        .values(
            state="quarantined" if final else "failed", error_class=failure.error_class, error=failure.message,
            seconds=seconds, lease_owner=None, lease_until=None, dismissed_at=None, updated_at=time.time(),
        )
    )  # fmt: skip


def finish_file_task(connection: Connection, file_id: int, *, stage: str, failure: Failure | None) -> None:
    """Mark a file's task as done, or as quarantined with its failure, whoever holds it."""
    connection.execute(
        update(task)
        .where(task.c.subject_kind == "file", task.c.subject_id == file_id, task.c.stage == stage)
        .values(
            state="quarantined" if failure else "done", error_class=failure.error_class if failure else None,
            error=failure.message if failure else None, lease_owner=None, lease_until=None, dismissed_at=None,
            updated_at=time.time(),
        )
    )  # fmt: skip


def give_back(connection: Connection, *, owner: str) -> None:
    """Reset the tasks that `owner` holds to pending, as if never claimed."""
    connection.execute(
        update(task)
        .where(has_state("running"), task.c.lease_owner == owner)
        .values(
            state="pending", lease_owner=None, lease_until=None, updated_at=time.time(), attempts=task.c.attempts - 1
        )
    )


def release_stale_leases(connection: Connection, *, stage: str) -> int:
    """Reset every running task of a stage to pending, keeping its attempts; return how many.

    Only for stages that one process works on at a time, when the caller is that process: the lease holders are dead.
    """
    return connection.execute(
        update(task)
        .where(has_state("running"), task.c.stage == stage)
        .values(state="pending", lease_owner=None, lease_until=None, updated_at=time.time())
    ).rowcount


def new_owner() -> str:
    """Return a name unique to this run: host, process id, a random part."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:12]}"
