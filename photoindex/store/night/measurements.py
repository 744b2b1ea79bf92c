"""How long single things took: searches, writes to the database, merges of the index."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from photoindex.store.engine.database import new_id
from photoindex.store.schema.tables import measurement

SEARCH, WRITE, INDEX = "search", "write", "index"
KEPT = 10_000
"""The newest of a kind that are kept, and up to _TRIM_EVERY more."""
_TRIM_EVERY = 100


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds of the measurements of one kind that are kept: half of them took at most p50, 95 of 100 at most p95."""

    count: int
    p50: float
    p95: float
    largest: float


def record(connection: Connection, kind: str, seconds: float) -> None:
    """Store a measurement, and now and then forget the oldest ones of its kind."""
    made = new_id(connection.execute(insert(measurement).values(kind=kind, at=time.time(), seconds=seconds)))
    if made % _TRIM_EVERY == 0:
        of_kind = select(measurement.c.id).where(measurement.c.kind == kind)
        oldest = of_kind.order_by(measurement.c.id.desc()).offset(KEPT).limit(1).scalar_subquery()
        connection.execute(
            delete(measurement).where(measurement.c.kind == kind, measurement.c.id <= func.coalesce(oldest, 0))
        )


def percentiles(connection: Connection, kind: str) -> Percentiles | None:
    """Return the percentiles of a kind (nearest rank), None where nothing was measured."""
    seconds = sorted(connection.execute(select(measurement.c.seconds).where(measurement.c.kind == kind)).scalars())
    if not seconds:
        return None
    ranked = [seconds[math.ceil(share * len(seconds)) - 1] for share in (0.5, 0.95)]
    return Percentiles(len(seconds), ranked[0], ranked[1], seconds[-1])
