"""The spaces of regions: one for everything that makes vectors comparable, at most one of a kind active."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from photoindex.domain.people.values import FACE
from photoindex.store.engine.database import new_id
from photoindex.store.schema.tables import region, region_space


@dataclass(frozen=True, slots=True)
class RegionSpace:
    """One space. dim: dimensions of its vectors. active: grouping uses it. calibration: None until measured.

    clustered_at: when all its regions were last grouped (UTC seconds since 1970). clustered_up_to: the largest region id then.
    joined_up_to: the largest region id when new regions were last grouped.
    """

    id: int
    kind: str
    model: str
    dim: int
    active: bool
    calibration: dict[str, Any] | None
    clustered_at: float | None
    clustered_up_to: int | None
    joined_up_to: int | None


def ensure(
    connection: Connection, *, model: str, comparable: Mapping[str, object], dim: int, kind: str = FACE
) -> RegionSpace:
    """Return the space of vectors that a model makes; create it if it does not exist.

    comparable: everything that makes vectors comparable. A new space becomes active if no other space has regions.
    """
    found = find(connection, comparable, kind=kind)
    if found is not None:
        return found
    values = {"kind": kind, "model": model, "key": _key(kind, comparable), "dim": dim, "active": False}
    made = new_id(connection.execute(insert(region_space), values | {"created_at": time.time()}))
    used = active(connection, kind=kind)
    if used is None or not count_regions(connection, used.id):
        use(connection, made, kind=kind)
    return _row(connection.execute(select(region_space).where(region_space.c.id == made)).one())


def find(connection: Connection, comparable: Mapping[str, object], *, kind: str = FACE) -> RegionSpace | None:
    """Return the space of vectors with this description, None if there is none; see `ensure`."""
    chosen = select(region_space).where(region_space.c.key == _key(kind, comparable))
    row = connection.execute(chosen).first()
    return None if row is None else _row(row)


def _key(kind: str, comparable: Mapping[str, object]) -> str:
    return json.dumps({"kind": kind, **comparable}, sort_keys=True, separators=(",", ":"))


def active(connection: Connection, *, kind: str = FACE) -> RegionSpace | None:
    """Return the space that grouping uses, None if there is none."""
    chosen = select(region_space).where(region_space.c.kind == kind, region_space.c.active.is_(True))
    row = connection.execute(chosen).first()
    return None if row is None else _row(row)


def use(connection: Connection, space_id: int, *, kind: str = FACE) -> None:
    """Make grouping use this space."""
    of_kind = region_space.c.kind == kind
    connection.execute(update(region_space).where(of_kind, region_space.c.active.is_(True)).values(active=False))
    connection.execute(update(region_space).where(of_kind, region_space.c.id == space_id).values(active=True))


def count_regions(connection: Connection, space_id: int) -> int:
    """Return how many regions have a vector of this space."""
    return int(connection.execute(select(func.count()).where(region.c.space_id == space_id)).scalar_one())


def count_others(connection: Connection, space_id: int | None, *, kind: str = FACE) -> int:
    """Return how many regions have a vector of another space; None: of any space."""
    of_kind = select(func.count()).where(region.c.kind == kind, region.c.space_id.is_not(None))
    others = of_kind if space_id is None else of_kind.where(region.c.space_id != space_id)
    return int(connection.execute(others).scalar_one())


def _row(row: Row[Any]) -> RegionSpace:
    return RegionSpace(
        row.id, row.kind, row.model, row.dim, bool(row.active), row.calibration, row.clustered_at, row.clustered_up_to,
        row.joined_up_to,
    )  # fmt: skip
