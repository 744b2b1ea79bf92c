"""How fast this machine did the work of each stage, piece by piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, insert, select

from photoindex.store.engine.statements import json_value
from photoindex.store.schema.tables import throughput, variant

_KEPT = 500
"""Pieces of a stage that are kept: at one a minute, the last eight hours of work."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a run of a stage.

    variant_id: None for work without a variant. subjects: finished tasks, of which `failed` failed and `retried` had been tried
    before. seconds: wall time of the work alone; opening_seconds: until the model was ready, in the first piece of a run.
    infer_seconds: time in the model. device: where it ran.
    """

    stage: str
    subjects: int
    seconds: float
    variant_id: int | None = None
    failed: int = 0
    retried: int = 0
    opening_seconds: float = 0.0
    infer_seconds: float = 0.0
    device: str = ""
    at: float = 0.0


def record(connection: Connection, piece: Piece) -> None:
    """Store a piece, and forget the oldest ones of its stage."""
    connection.execute(insert(throughput).values(**asdict(piece) | {"at": time.time()}))
    of_stage = select(throughput.c.id).where(throughput.c.stage == piece.stage)
    oldest = of_stage.order_by(throughput.c.id.desc()).offset(_KEPT).limit(1).scalar_subquery()
    connection.execute(
        delete(throughput).where(throughput.c.stage == piece.stage, throughput.c.id <= func.coalesce(oldest, 0))
    )


def newest(connection: Connection, stage: str, *, model: str | None = None, limit: int = 100) -> Sequence[Piece]:
    """Return the newest pieces of a stage, newest first; with `model`, of its variants alone."""
    columns = [throughput.c[name] for name in Piece.__slots__]
    statement = select(*columns).where(throughput.c.stage == stage).order_by(throughput.c.id.desc()).limit(limit)
    if model is not None:
        statement = statement.join(variant).where(json_value(variant.c.key, "$.model") == model)
    return [Piece(**row) for row in connection.execute(statement).mappings()]
