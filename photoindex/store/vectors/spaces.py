"""The embedding spaces of a library: one per variant of the embed stage, at most one of them active."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from photoindex.store.engine import predicates
from photoindex.store.engine.database import new_id
from photoindex.store.schema.tables import asset, space, task, vector
from photoindex.store.tasks.asset_tasks import StageVariant, count_usable_without, has_usable_preview

STAGE = "embed"
"""The stage whose variants have spaces, as named in the task table."""
_VECTORS_PER_DELETE = 20_000


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """One space. dim: dimensions of its vectors. calibration: see `library.spaces.calibration`; None until measured."""

    id: int
    name: str
    model: str
    variant_id: int
    dim: int
    active: bool
    calibration: dict[str, Any] | None
    created_at: float

    @property
    def tasks(self) -> StageVariant:
        """The tasks that fill the space."""
        return StageVariant(STAGE, self.variant_id)


def ensure_space(connection: Connection, *, model: str, variant_id: int, dim: int) -> SpaceRow:
    """Return the space of a variant of the embed stage; create it if it does not exist.

    A new space becomes active unless another is active or complete: that one finds more than an empty one.
    """
    found = connection.execute(select(space).where(space.c.variant_id == variant_id)).first()
    if found is not None:
        return _space_row(found)
    taken = set(connection.execute(select(space.c.name)).scalars())
    name = next(one for one in _names(model) if one not in taken)
    made = connection.execute(
        insert(space).values(
            name=name,
            model=model,
            variant_id=variant_id,
            dim=dim,
            active=_should_be_active(connection),
            created_at=time.time(),
        )
    )
    return _space_row(connection.execute(select(space).where(space.c.id == new_id(made))).one())


def _should_be_active(connection: Connection) -> bool:
    return not any(one.active or _is_complete(connection, one) for one in all_spaces(connection))


def _is_complete(connection: Connection, found: SpaceRow) -> bool:
    return count_vectors(connection, found.id) > 0 and not count_not_embedded(connection, found)


def _names(model: str) -> Any:
    yield model
    number = 2
    while True:
        yield f"{model}-{number}"
        number += 1


def all_spaces(connection: Connection) -> list[SpaceRow]:
    """Return all spaces, oldest first."""
    return [_space_row(row) for row in connection.execute(select(space).order_by(space.c.id))]


def active_space(connection: Connection) -> SpaceRow | None:
    """Return the space that search uses, None if there is none."""
    row = connection.execute(select(space).where(space.c.active.is_(True))).first()
    return None if row is None else _space_row(row)


def space_named(connection: Connection, name: str) -> SpaceRow | None:
    """Return the space with this name, None if there is none."""
    row = connection.execute(select(space).where(space.c.name == name)).first()
    return None if row is None else _space_row(row)


def use(connection: Connection, space_id: int) -> None:
    """Make search use this space."""
    connection.execute(update(space).where(space.c.active.is_(True)).values(active=False))
    connection.execute(update(space).where(space.c.id == space_id).values(active=True))


def calibrate(connection: Connection, space_id: int, calibration: dict[str, Any]) -> None:
    """Store the calibration of a space."""
    connection.execute(update(space).where(space.c.id == space_id).values(calibration=calibration))


def begin_drop(connection: Connection, found: SpaceRow) -> None:
    """Deactivate a space and remove its tasks, so that nothing is added while its vectors are deleted."""
    connection.execute(update(space).where(space.c.id == found.id).values(active=False))
    connection.execute(delete(task).where(task.c.variant_id == found.variant_id, task.c.stage == STAGE))


def drop_some(connection: Connection, found: SpaceRow) -> int:
    """Remove a batch of a space's vectors; return how many, 0 if none are left."""
    some = select(vector.c.id).where(vector.c.space_id == found.id).limit(_VECTORS_PER_DELETE)
    return int(connection.execute(delete(vector).where(vector.c.id.in_(some))).rowcount)


def drop(connection: Connection, found: SpaceRow) -> int:
    """Remove a space with its vectors and tasks; return how many vectors were removed."""
    removed = connection.execute(delete(vector).where(vector.c.space_id == found.id)).rowcount
    connection.execute(delete(task).where(task.c.variant_id == found.variant_id, task.c.stage == STAGE))
    connection.execute(delete(space).where(space.c.id == found.id))
    return int(removed)


def count_vectors(connection: Connection, space_id: int) -> int:
    """Return how many vectors a space has."""
    statement = select(func.count()).select_from(vector).where(vector.c.space_id == space_id)
    return int(connection.execute(statement).scalar_one())


def count_not_embedded(connection: Connection, found: SpaceRow) -> int:
    """Return how many contents with a preview have no vector in a space, not counting quarantined ones."""
    embedded = select(vector.c.asset_id).where(vector.c.space_id == found.id, vector.c.frame == 0)
    count = select(func.count()).select_from(embedded.subquery())
    lacking = count_usable_without(connection, embedded, connection.execute(count).scalar_one())
    given_up = (
        select(func.count())
        .select_from(task)
        .join(asset, asset.c.id == task.c.subject_id)
        .where(predicates.has_state("quarantined"), task.c.stage == STAGE, task.c.variant_id == found.variant_id)
        .where(task.c.subject_kind == "asset", has_usable_preview(), asset.c.id.not_in(embedded))
    )
    return int(lacking - connection.execute(given_up).scalar_one())


def _space_row(row: Row[Any]) -> SpaceRow:
    return SpaceRow(
        row.id, row.name, row.model, row.variant_id, row.dim, bool(row.active), row.calibration, row.created_at
    )
