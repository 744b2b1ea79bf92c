"""The vectors of faces of people, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from photoindex.domain.people.values import PERSON
from photoindex.store.schema.tables import assignment, individual, region, region_vector

_ROWS = 10_000
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class FaceVectors:
    """Faces of people. faces, persons, contents: int64 [n]. vectors: float32 [n, dim] of unit length."""

    faces: NDArray[np.int64]
    persons: NDArray[np.int64]
    contents: NDArray[np.int64]
    vectors: NDArray[np.float32]


def faces_of_people(connection: Connection, space_id: int, dim: int) -> Iterator[FaceVectors]:
    """Yield the faces of everybody in a space, also of groups without a name; damaged vectors are left out."""
    statement = (
        select(assignment.c.region_id, assignment.c.individual_id, region.c.asset_id, region_vector.c.data)
        .join(region, region.c.id == assignment.c.region_id)
        .join(region_vector, region_vector.c.region_id == assignment.c.region_id)
        .join(individual, individual.c.id == assignment.c.individual_id)
        .where(region.c.space_id == space_id, individual.c.kind == PERSON)
        .execution_options(yield_per=_ROWS)
    )
    size = dim * _STORED.itemsize
    for rows in connection.execute(statement).partitions():
        kept = [row for row in rows if len(row.data) == size]
        values = np.frombuffer(b"".join(row.data for row in kept), _STORED).reshape(len(kept), dim)
        numbers = np.array([row[:3] for row in kept], np.int64).reshape(len(kept), 3)
        yield FaceVectors(numbers[:, 0], numbers[:, 1], numbers[:, 2], values.astype(np.float32))
