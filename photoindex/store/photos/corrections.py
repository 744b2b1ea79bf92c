"""Corrections by a person: values that override every value from files."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from sqlalchemy import Connection, bindparam, delete, literal, select

from photoindex.store.engine.statements import as_parameter, is_given, upsert
from photoindex.store.journal.journal import Change, Row, Stored, rows_as_changes
from photoindex.store.schema.tables import asset, correction
from photoindex.types import FactValue

_CHUNK = 500

_Key = tuple[int, str]

_of_photos = (
    select(asset.c.photo_id, correction.c.fact, correction.c.value)
    .join(asset, asset.c.id == correction.c.asset_id)
    .where(is_given(asset.c.photo_id, "photo_ids"))
    .order_by(correction.c.at, correction.c.asset_id)
)


def of_photos(connection: Connection, photo_ids: Collection[int]) -> dict[int, dict[str, FactValue]]:
    """Return photo -> fact -> value over all its contents, also superseded ones; the newest correction of a fact wins.

    Photos without corrections are left out.
    """
    found: dict[int, dict[str, FactValue]] = {}
    for row in connection.execute(_of_photos, {"photo_ids": as_parameter(photo_ids)}):
        found.setdefault(row.photo_id, {})[row.fact] = row.value
    return found


def current_assets(connection: Connection, photo_id: int) -> list[int]:
    """Return the contents to which a correction of a photo is written: all but superseded ones."""
    statement = (
        select(asset.c.id).where(asset.c.photo_id == photo_id, asset.c.role != "superseded").order_by(asset.c.id)
    )
    return list(connection.execute(statement).scalars())


def copy(connection: Connection, *, source: int, target: int) -> bool:
    """Copy the corrections of a content to the one that replaced it in a file; return whether there were any."""
    corrections = select(literal(target), correction.c.fact, correction.c.value, correction.c.at)
    rows = upsert(correction).from_select(
        ["asset_id", "fact", "value", "at"], corrections.where(correction.c.asset_id == source)
    )
    return connection.execute(rows.on_conflict_do_nothing()).rowcount > 0


def correct(connection: Connection, wanted: Iterable[tuple[int, str, FactValue]]) -> Iterator[Change]:
    """Write (content, fact, value) in chunks; value None removes the correction, the last of several values wins.

    Yields the changes for the journal; each chunk is written when its first change is consumed.
    """
    now = time.time()
    remaining = iter(wanted)
    while chunk := list(islice(remaining, _CHUNK)):
        yield from _correct_some(connection, {(asset_id, fact): value for asset_id, fact, value in chunk}, now)


def _correct_some(connection: Connection, wanted: Mapping[_Key, FactValue], now: float) -> Iterator[Change]:
    before = _stored(connection, wanted)
    removed = [key for key, value in wanted.items() if value is None and key in before]
    written = {
        key: value
        for key, value in wanted.items()
        if value is not None and not (key in before and _same(before[key], value))
    }
    if removed:
        connection.execute(_remove, [{"wanted_asset": asset_id, "wanted_fact": fact} for asset_id, fact in removed])
    if written:
        rows = [
            {"asset_id": asset_id, "fact": fact, "value": value, "at": now}
            for (asset_id, fact), value in written.items()
        ]
        connection.execute(_write, rows)
    after = _stored(connection, written)
    for key in wanted:
        if key in written or (key in before and wanted[key] is None):
            row_key: Row = {"asset_id": key[0], "fact": key[1]}
            yield Change(correction.name, row_key, before=before.get(key), after=after.get(key))


_remove = delete(correction).where(
    correction.c.asset_id == bindparam("wanted_asset"), correction.c.fact == bindparam("wanted_fact")
)
_insert = upsert(correction)
_write = _insert.on_conflict_do_update(
    index_elements=["asset_id", "fact"], set_={"value": _insert.excluded.value, "at": _insert.excluded.at}
)


def _stored(connection: Connection, keys: Collection[_Key]) -> dict[_Key, Row]:
    """Return the existing corrections with these keys, as SQLite stores them."""
    chosen = select(correction).where(
        correction.c.asset_id.in_({asset_id for asset_id, _ in keys}), correction.c.fact.in_({fact for _, fact in keys})
    )
    rows = [one.before for one in rows_as_changes(connection, correction, chosen) if one.before is not None]
    by_key: dict[tuple[Stored, Stored], Row] = {(row["asset_id"], row["fact"]): row for row in rows}
    return {key: by_key[key] for key in keys if key in by_key}


def _same(before: Mapping[str, object], value: FactValue) -> bool:
    return isinstance(before["value"], str) and json.loads(before["value"]) == value
