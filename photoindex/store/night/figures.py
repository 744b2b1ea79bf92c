"""Figures for `metrics`: how long tasks took, why they failed, what services cost."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, func, select

from photoindex.store.schema.tables import task

_NEWEST_TASKS = 20_000


def task_seconds(connection: Connection) -> dict[str, list[float]]:
    """Return stage -> seconds, ascending, of the newest tasks whose duration is known."""
    newest = select(task.c.stage, task.c.seconds).where(task.c.seconds.is_not(None))
    found: dict[str, list[float]] = defaultdict(list)
    for stage, seconds in connection.execute(newest.order_by(task.c.id.desc()).limit(_NEWEST_TASKS)):
        found[stage].append(seconds)
    return {stage: sorted(seconds) for stage, seconds in found.items()}


def failures(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many failed and quarantined tasks there are by stage and error class."""
    of_class = (task.c.stage, func.coalesce(task.c.error_class, ""))
    rows = connection.execute(
        select(*of_class, func.count()).where(task.c.state.in_(("failed", "quarantined"))).group_by(*of_class)
    )
    return {(row[0], row[1]): row[2] for row in rows}
