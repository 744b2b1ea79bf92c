"""The number of faces of a photo: `photo.faces`, of the content that represents it; NULL until that was looked through."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, null, select, update

from photoindex.domain.people.values import FACE
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import as_parameter, given_numbers
from photoindex.store.schema.tables import photo, region, task

STAGE = "faces"
"""The stage that looks for faces, as named in the task table."""
_KEYS = 500


def _looked_through(asset_id: ColumnElement[int]) -> Select[tuple[int]]:
    of_asset = (task.c.subject_kind == "asset", task.c.subject_id == asset_id)
    return select(task.c.id).where(*of_asset, task.c.stage == STAGE, task.c.state == "done")


def _count(asset_id: ColumnElement[int]) -> ColumnElement[int | None]:
    faces = select(func.count()).where(region.c.asset_id == asset_id, region.c.kind == FACE).scalar_subquery()
    return case((faces > 0, faces), (_looked_through(asset_id).exists(), 0), else_=null())


_given = given_numbers("asset_ids")
_count_of_given = select(_given.c.value, _count(_given.c.value).label("faces"))


def faces_of(connection: Connection, asset_ids: Collection[int]) -> dict[int, int | None]:
    """Return content -> its number of faces, None if it has none and no model looked for them."""
    rows = connection.execute(_count_of_given, {"asset_ids": as_parameter(asset_ids)})
    return {row.value: row.faces for row in rows}


def is_looked_through(connection: Connection, asset_id: int) -> bool:
    """Return whether a model has looked for faces in a content."""
    return connection.execute(_looked_through(bindparam("asset_id")), {"asset_id": asset_id}).first() is not None


def refresh(connection: Connection, asset_ids: Sequence[int], *, looked_through: bool = False) -> None:
    """Count again the faces of the photos that these contents represent; call it after their regions changed.

    looked_through: a model has just looked for faces in them, and its task is marked done only after this.
    """
    counted = _count(photo.c.primary_asset_id)
    for some in chunks(asset_ids, _KEYS):
        chosen = update(photo).where(photo.c.primary_asset_id.in_(some))
        connection.execute(chosen.values(faces=func.coalesce(counted, 0) if looked_through else counted))
