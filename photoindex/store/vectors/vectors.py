"""The vectors of a space in the database: the source of truth from which every index is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import asset, task, vector
from photoindex.store.tasks.asset_tasks import task_of_asset
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.types import Result, Vector

CHUNK_ROWS = 10_000
_KEYS = 500
STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class VectorBlock:
    """Vectors ordered by id: ids int64 [n], ascending; values float16 [n, dim]."""

    ids: NDArray[np.int64]
    values: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class VectorWriter:
    """Stores the results of the embed stage: the vectors of one space."""

    space_id: int

    def put(self, connection: Connection, results: Mapping[int, Sequence[Result]]) -> None:
        """Write the vectors among the results (asset id -> results), like the function `put`."""
        put(
            connection,
            self.space_id,
            [(asset_id, one) for asset_id, found in results.items() for one in found if isinstance(one, Vector)],
        )


def put(connection: Connection, space_id: int, vectors: Sequence[tuple[int, Vector]]) -> None:
    """Store vectors (asset id, vector), each replacing an earlier one of the same content and frame.

    Every vector gets a new id.
    """
    contents: dict[int, list[int]] = {}
    for asset_id, one in vectors:
        contents.setdefault(one.frame, []).append(asset_id)
    for frame, asset_ids in contents.items():
        for some in chunks(asset_ids, _KEYS):
            of_contents = vector.c.asset_id.in_(some)
            connection.execute(
                delete(vector).where(vector.c.space_id == space_id, of_contents, vector.c.frame == frame)
            )
    rows = [
        {
            "space_id": space_id,
            "asset_id": asset_id,
            "frame": one.frame,
            "seconds": one.seconds,
            "data": one.values.astype(STORED).tobytes(),
        }
        for asset_id, one in vectors
    ]
    if rows:
        connection.execute(insert(vector), rows)


_block = (
    select(vector.c.id, vector.c.data)
    .where(vector.c.id > bindparam("last"), vector.c.space_id == bindparam("space"))
    .order_by(vector.c.id)
    .limit(bindparam("rows"))
    .offset(bindparam("skipped"))  # or SQLAlchemy adds it with a parameter of its own
)


def blocks(connection: Connection, space_id: int, dim: int, *, after_id: int = 0) -> Iterator[VectorBlock]:
    """Yield a space's vectors with ids above `after_id`, ascending, in blocks of up to CHUNK_ROWS."""
    last = after_id
    while rows := engine_of(connection).fetch_plain(connection, _block, last, space_id, CHUNK_ROWS, 0):
        ids, data = zip(*rows, strict=True)
        values = np.frombuffer(b"".join(data), STORED).reshape(len(rows), dim)
        yield VectorBlock(np.fromiter(ids, np.int64, len(ids)), values.astype(np.float16, copy=False))
        last = ids[-1]


def of_assets(connection: Connection, space: SpaceRow, asset_ids: Sequence[int]) -> dict[int, bytes]:
    """Return content -> its vectors in a space, one after the other by frame, float16 little-endian.

    Contents without one are omitted, and so are those that are to be embedded again.
    """
    done = task_of_asset(space.tasks).where(task.c.state == "done")
    statement = (
        select(vector.c.asset_id, vector.c.data)
        .join(asset, asset.c.id == vector.c.asset_id)
        .where(vector.c.space_id == space.id, vector.c.asset_id.in_(numbers(asset_ids)), done.exists())
        .order_by(vector.c.asset_id, vector.c.frame)
    )
    found: dict[int, bytes] = {}
    for asset_id, data in connection.execute(statement):
        found[asset_id] = found[asset_id] + data if asset_id in found else data
    return found


def newest_id(connection: Connection, space_id: int) -> int:
    """Return the largest vector id of a space, 0 if it has no vectors."""
    statement = select(func.max(vector.c.id)).where(vector.c.space_id == space_id)
    return int(connection.execute(statement).scalar_one() or 0)


def living(connection: Connection, space_id: int, vector_ids: Sequence[int]) -> set[int]:
    """Return the ids among `vector_ids` that still exist in the space."""
    found: set[int] = set()
    for some in chunks(vector_ids, CHUNK_ROWS):
        statement = select(vector.c.id).where(vector.c.id.in_(numbers(some)), vector.c.space_id == space_id)
        found.update(connection.execute(statement).scalars())
    return found


def data_of(connection: Connection, space_id: int, vector_ids: Sequence[int]) -> dict[int, bytes]:
    """Return vector id -> bytes, float16 little-endian; missing ids are omitted."""
    found: dict[int, bytes] = {}
    for some in chunks(vector_ids, CHUNK_ROWS):
        statement = select(vector.c.id, vector.c.data).where(
            vector.c.id.in_(numbers(some)), vector.c.space_id == space_id
        )
        found.update((row.id, row.data) for row in connection.execute(statement))
    return found


def count_after(connection: Connection, space_id: int, after_id: int) -> int:
    """Return how many vectors of a space have ids above `after_id`."""
    statement = select(func.count()).where(vector.c.space_id == space_id, vector.c.id > after_id)
    return int(connection.execute(statement).scalar_one())


def count_up_to(connection: Connection, space_id: int, largest_id: int) -> int:
    """Return how many vectors of a space have ids up to `largest_id`."""
    statement = select(func.count()).where(vector.c.space_id == space_id, vector.c.id <= largest_id)
    return int(connection.execute(statement).scalar_one())


def largest_ever(connection: Connection) -> int:
    """Return the largest id that a vector of any space ever had in this database, 0 if there never was one."""
    return engine_of(connection).largest_number_ever(connection, vector)


def photos_of(connection: Connection, vector_ids: Sequence[int]) -> dict[int, int]:
    """Return vector id -> photo id; missing vectors and those of superseded contents are omitted."""
    found: dict[int, int] = {}
    for some in chunks(vector_ids, _KEYS):
        statement = (
            select(vector.c.id, asset.c.photo_id)
            .join(asset, asset.c.id == vector.c.asset_id)
            .where(vector.c.id.in_(some), asset.c.role != "superseded")
        )
        found.update((row.id, row.photo_id) for row in connection.execute(statement))
    return found
