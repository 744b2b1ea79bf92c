"""What grouping reads: faces with their vectors, and what people decided about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, case, func, or_, select, update

from photoindex.domain.people.values import FACE, FIXED, PERSON
from photoindex.store.journal.journal import keys_removed_since
from photoindex.store.people.spaces import RegionSpace
from photoindex.store.schema.tables import (
    asset_with_repeats,
    assignment,
    individual,
    individuals_apart,
    photo,
    region,
    region_space,
    region_vector,
    rejection,
)

CHUNK_ROWS = 10_000
NOBODY = 0
"""Stands for the individual of a face that has none, where individuals are numbers of an array."""
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class FaceRows:
    """The faces with a vector of one space that photos show in their primary content, in ascending order of their ids.

    ids, photos, assets: int64 [n]. vectors: float16 [n, dim], unit length. persons: int64 [n], NOBODY for faces in no
    group. fixed: bool [n], by a person's word. scores: float32 [n], of the assignment, else of the detector. shorter_px:
    float32 [n], the shorter side of the face in a preview of `preview_px`. sharpness, yaw, size_px: float32 [n], NaN
    where unknown. taken: datetime64[D] [n], NaT where unknown or only the time of the file. precision: per face "day" or
    finer, "month", "year" as 0, 1, 2; int8 [n].
    """

    ids: NDArray[np.int64]
    photos: NDArray[np.int64]
    assets: NDArray[np.int64]
    vectors: NDArray[np.float16]
    persons: NDArray[np.int64]
    fixed: NDArray[np.bool_]
    detected: NDArray[np.float32]
    shorter_px: NDArray[np.float32]
    size_px: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    yaw: NDArray[np.float32]
    taken: NDArray[np.datetime64]
    precision: NDArray[np.int8]

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What people said. rejected: (face, individual). apart: pairs of individuals, the smaller id first.

    repeats: contents that may show somebody more than once. elsewhere: (photo, individual) of faces that a person named
    and that have no vector of the space. let_go: faces that lost their individual since all were last grouped, by
    decisions about others or about dates.
    """

    rejected: frozenset[tuple[int, int]]
    apart: frozenset[tuple[int, int]]
    repeats: frozenset[int]
    elsewhere: frozenset[tuple[int, int]]
    let_go: frozenset[int]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An individual as grouping sees it. name: None for a group without one. born, died: as in the table."""

    id: int
    name: str | None
    born: str | None
    died: str | None
    ignored: bool
    hidden: bool


def count(connection: Connection, space: RegionSpace) -> int:
    """Return how many faces `faces` would return."""
    chosen = select(func.count()).select_from(region.join(photo, photo.c.primary_asset_id == region.c.asset_id))
    return int(connection.execute(chosen.where(*_of(space))).scalar_one())


def count_new(connection: Connection, space: RegionSpace, *after: int) -> tuple[int, ...]:
    """Return for each face id of `after` how many faces of photos came into a space after it."""
    numbers = [func.count().filter(region.c.id > face) for face in after]
    chosen = select(*numbers).select_from(region.join(photo, photo.c.primary_asset_id == region.c.asset_id))
    return tuple(connection.execute(chosen.where(*_of(space), region.c.id > min(after))).one())


def was_grouped(connection: Connection) -> bool:
    """Tell whether the faces of any space, perhaps of another model, were ever grouped."""
    return (
        connection.execute(select(region_space.c.id).where(region_space.c.clustered_at.is_not(None))).first()
        is not None
    )


def faces(
    connection: Connection, space: RegionSpace, preview_px: int, advance: Callable[[int], None] = lambda _count: None
) -> FaceRows:
    """Read the faces of a space. advance: called with the number of faces read so far.

    The vectors are written straight into one array: 110,000 of 512 numbers take 113 MB and no second copy.
    """
    expected = count(connection, space)
    vectors = np.empty((expected, space.dim), _STORED)
    parts: list[list[Any]] = []
    done = 0
    statement = _statement(space, preview_px).execution_options(yield_per=CHUNK_ROWS)
    for rows in connection.execute(statement).partitions():
        columns = list(zip(*rows, strict=True))
        read = np.frombuffer(b"".join(columns.pop()), _STORED).reshape(len(rows), space.dim)
        vectors[done : done + len(rows)] = read
        parts.append([_array(number, column) for number, column in enumerate(columns)])
        done += len(rows)
        advance(done)
    empty = [_array(number, ()) for number in range(len(_KINDS))]
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else empty
    # Faces that an undo brought back have no vector until a model finds them again.
    return _face_rows(joined, vectors[:done].astype(np.float16, copy=False))


_KINDS = ("i8", "i8", "i8", "i8", "?", "f4", "f4", "f4", "f4", "f4", "M8[D]", "i1")


def _array(number: int, column: Sequence[Any]) -> NDArray[Any]:
    return np.array(column, _KINDS[number])  # None becomes NaN or NaT


def _face_rows(columns: Sequence[NDArray[Any]], vectors: NDArray[np.float16]) -> FaceRows:
    ids, photos, assets, persons, fixed, detected, shorter, size, sharpness, yaw, taken, precision = columns
    return FaceRows(
        ids, photos, assets, vectors, persons, fixed, detected, shorter, size, sharpness, yaw, taken, precision
    )


def _of(space: RegionSpace) -> tuple[ColumnElement[bool], ...]:
    return region.c.space_id == space.id, region.c.kind == FACE


def _statement(space: RegionSpace, preview_px: int) -> Any:
    width, height = region.c.width * photo.c.width, region.c.height * photo.c.height
    longest = case((photo.c.width > photo.c.height, photo.c.width), else_=photo.c.height)
    scale = case((longest > preview_px, preview_px / (1.0 * longest)), else_=1.0)
    day = func.substr(photo.c.taken_at, 1, 10)
    dated = (func.coalesce(photo.c.taken_at_source, "mtime") != "mtime") & (func.length(day) == 10)
    return (
        select(
            region.c.id,
            photo.c.id,
            region.c.asset_id,
            func.coalesce(assignment.c.individual_id, NOBODY),
            func.coalesce(assignment.c.how.in_(FIXED), 0),
            region.c.score,
            scale * case((width < height, width), else_=height),
            region.c.size_px,
            region.c.sharpness,
            region.c.yaw,
            case((dated, day)),
            case((photo.c.taken_at_precision == "year", 2), (photo.c.taken_at_precision == "month", 1), else_=0),
            region_vector.c.data,
        )
        .select_from(region)
        .join(photo, photo.c.primary_asset_id == region.c.asset_id)
        .join(region_vector, region_vector.c.region_id == region.c.id)
        .outerjoin(assignment, assignment.c.region_id == region.c.id)
        .where(*_of(space))
        .order_by(region.c.id)
    )


def decisions(connection: Connection, space: RegionSpace) -> Decisions:
    """Read what people decided about faces and individuals."""
    rejected = connection.execute(select(rejection.c.region_id, rejection.c.individual_id))
    apart = connection.execute(select(individuals_apart.c.individual_id, individuals_apart.c.other_id))
    elsewhere = (
        select(photo.c.id, assignment.c.individual_id)
        .select_from(assignment)
        .join(region, region.c.id == assignment.c.region_id)
        .join(photo, photo.c.primary_asset_id == region.c.asset_id)
        .where(
            assignment.c.how.in_(FIXED),
            region.c.kind == FACE,
            or_(region.c.space_id.is_(None), region.c.space_id != space.id),
        )
    )
    let_go = keys_removed_since(connection, assignment, space.clustered_at or 0.0)
    return Decisions(
        frozenset((row[0], row[1]) for row in rejected),
        frozenset((min(row[0], row[1]), max(row[0], row[1])) for row in apart),
        frozenset(connection.execute(select(asset_with_repeats.c.asset_id)).scalars()),
        frozenset((row[0], row[1]) for row in connection.execute(elsewhere)),
        frozenset(int(str(key["region_id"])) for key in let_go),
    )


def persons(connection: Connection) -> dict[int, PersonRow]:
    """Return all individuals that have faces, id -> individual."""
    chosen = select(
        individual.c.id,
        individual.c.name,
        individual.c.born,
        individual.c.died,
        individual.c.ignored,
        individual.c.hidden,
    ).where(individual.c.kind == PERSON)
    return {
        row.id: PersonRow(row.id, row.name, row.born, row.died, bool(row.ignored), bool(row.hidden))
        for row in connection.execute(chosen)
    }


def calibrate(connection: Connection, space: RegionSpace, calibration: dict[str, Any]) -> None:
    """Store the calibration of a space."""
    connection.execute(update(region_space).where(region_space.c.id == space.id).values(calibration=calibration))
