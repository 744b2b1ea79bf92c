"""What a person corrected: values that stand above all that files say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, bindparam, delete, literal, select
from sqlalchemy.dialects.sqlite import insert as upsert

from photoindex.store.journal import Change, Row, stored_row
from photoindex.store.tables import asset, correction
from photoindex.types import FactValue

_of_photo = (
    select(correction.c.fact, correction.c.value)
    .join(asset, asset.c.id == correction.c.asset_id)
    .where(asset.c.photo_id == bindparam("photo_id"))
    .order_by(correction.c.at, correction.c.asset_id)
)


def of_photo(connection: Connection, photo_id: int) -> dict[str, FactValue]:
    """Return fact -> value of all contents of a photo, earlier ones too; the newest correction of a fact holds."""
    rows = connection.execute(_of_photo, {"photo_id": photo_id})
    return {row.fact: row.value for row in rows}


def current_assets(connection: Connection, photo_id: int) -> list[int]:
    """Return the contents of a photo that a correction of it is written to: all but earlier ones."""
    statement = (
        select(asset.c.id).where(asset.c.photo_id == photo_id, asset.c.role != "superseded").order_by(asset.c.id)
    )
    return list(connection.execute(statement).scalars())


def copy(connection: Connection, *, source: int, target: int) -> bool:
    """Let what was said of one content hold for another, which a file holds in its place; return whether anything was."""
    said = select(literal(target), correction.c.fact, correction.c.value, correction.c.at)
    rows = upsert(correction).from_select(
        ["asset_id", "fact", "value", "at"], said.where(correction.c.asset_id == source)
    )
    return connection.execute(rows.on_conflict_do_nothing()).rowcount > 0


def correct(connection: Connection, wanted: Iterable[tuple[int, str, FactValue]]) -> Iterator[Change]:
    """Write (content, fact, value) one by one; value None takes the correction back. Yields the changes for the journal."""
    now = time.time()
    for asset_id, fact, value in wanted:
        key: Row = {"asset_id": asset_id, "fact": fact}
        before = stored_row(connection, correction, key)
        if value is None:
            if before is None:
                continue
            connection.execute(delete(correction).where(correction.c.asset_id == asset_id, correction.c.fact == fact))
            yield Change(correction.name, key, before=before, after=None)
            continue
        if before is not None and _same(before, value):
            continue
        row = upsert(correction).values(asset_id=asset_id, fact=fact, value=value, at=now)
        connection.execute(
            row.on_conflict_do_update(index_elements=["asset_id", "fact"], set_={"value": value, "at": now})
        )
        yield Change(correction.name, key, before=before, after=stored_row(connection, correction, key))


def _same(before: Mapping[str, object], value: FactValue) -> bool:
    return isinstance(before["value"], str) and json.loads(before["value"]) == value
