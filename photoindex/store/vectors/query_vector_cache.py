"""Cache of query vectors, so that a repeated query does not need the model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import upsert
from photoindex.store.schema.tables import query_vector, space

CAPACITY = 10_000
_STORED = np.dtype("<f4")
_CHUNK = 500
_USED_AT_MAX_AGE_SECONDS = 86_400
"""`used_at` is updated at most once a day, so that most searches do not write."""


def known(connection: Connection, space_id: int, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return text -> vector, float32 [dim], for the cached texts."""
    found: dict[str, NDArray[np.float32]] = {}
    for some in chunks(texts, _CHUNK):
        statement = select(query_vector.c.text, query_vector.c.data).where(
            query_vector.c.space_id == space_id, query_vector.c.text.in_(some)
        )
        found |= {
            row.text: np.frombuffer(row.data, _STORED).astype(np.float32) for row in connection.execute(statement)
        }
    return found


def long_unused(connection: Connection, space_id: int, texts: Sequence[str]) -> list[str]:
    """Return those of some texts that are cached with a `used_at` over a day old; the caller `keep`s them again."""
    found: list[str] = []
    for some in chunks(texts, _CHUNK):
        statement = select(query_vector.c.text).where(
            query_vector.c.space_id == space_id,
            query_vector.c.text.in_(some),
            query_vector.c.used_at < time.time() - _USED_AT_MAX_AGE_SECONDS,
        )
        found += connection.execute(statement).scalars()
    return found


def keep(connection: Connection, space_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Cache the vectors of some texts; beyond CAPACITY, evict the least recently used.

    Does nothing if the space was dropped in the meantime.
    """
    if connection.execute(select(space.c.id).where(space.c.id == space_id)).first() is None:
        return
    now = time.time()
    rows = [
        {"space_id": space_id, "text": text, "data": values.astype(_STORED).tobytes(), "used_at": now}
        for text, values in vectors.items()
    ]
    if rows:
        statement = upsert(query_vector)
        newest = {"data": statement.excluded.data, "used_at": statement.excluded.used_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["space_id", "text"], set_=newest), rows)
    surplus = connection.execute(select(func.count()).select_from(query_vector)).scalar_one() - CAPACITY
    if surplus > 0:
        oldest = select(query_vector.c.used_at).order_by(query_vector.c.used_at).offset(surplus - 1).limit(1)
        connection.execute(delete(query_vector).where(query_vector.c.used_at <= oldest.scalar_subquery()))
