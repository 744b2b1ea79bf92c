"""Unattended runs: when they began and ended, and what they reported."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from photoindex.store.schema.tables import night


@dataclass(frozen=True, slots=True)
class Night:
    """One run; times are UTC seconds. outcome: done, window, stopped, failed; None while it runs, or if it was killed."""

    id: int
    started_at: float
    ended_at: float | None
    outcome: str | None
    report: Mapping[str, Any] | None


def begin(connection: Connection) -> int:
    """Record that a run begins, and return its id."""
    return int(connection.execute(insert(night).values(started_at=time.time()).returning(night.c.id)).scalar_one())


def end(connection: Connection, night_id: int, outcome: str, report: Mapping[str, Any]) -> None:
    """Record how a run ended. report: values of JSON."""
    values = {"ended_at": time.time(), "outcome": outcome, "report": dict(report)}
    connection.execute(update(night).where(night.c.id == night_id).values(values))


def newest(connection: Connection, *, limit: int = 10) -> list[Night]:
    """Return the newest runs, newest first."""
    rows = connection.execute(select(night).order_by(night.c.id.desc()).limit(limit)).mappings()
    return [Night(**row) for row in rows]
