"""Undo of changes to tags and albums: what happened since to the tag, album or label that a row is about is no reason to refuse."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from photoindex.store.journal.journal import Change, changes_of_row, rows_as_changes
from photoindex.store.schema.tables import (
    album,
    album_asset,
    asset_tag,
    label,
    photo_keyword,
    tag,
    tag_alias,
    tag_rejection,
    variant,
)
from photoindex.store.tasks import stale


def adapted(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    """Return the changes of a batch (of one table) as they can be undone now, without those that no longer matter.

    A tag that was merged since means the one it became; places in albums that are gone are left out, and so are labels
    that a model has changed since.
    """
    name = batch[0].table_name if batch else None
    if name in (asset_tag.name, tag_rejection.name):
        return _tagged(connection, batch)
    if name == label.name:
        return _labels(connection, batch)
    if name == album_asset.name:
        gone = _missing(connection, album, {change.before["album_id"] for change in batch if change.before is not None})
        return [change for change in batch if change.before is None or change.before["album_id"] not in gone]
    return list(batch)


def make_way(connection: Connection, batch: Sequence[Change]) -> None:
    """Remove what refers to tags that the undo of a batch removes: keywords find their tags when photos are resolved."""
    if batch[0].table_name == tag.name:
        gone = [change.key["id"] for change in batch if change.before is None]
        named = photo_keyword.c.tag_id.in_(gone)
        stale.resolve_all_later(connection, select(photo_keyword.c.photo_id).where(named))
        connection.execute(delete(photo_keyword).where(named))


def _tagged(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    wanted = {change.before["tag_id"] for change in batch if change.before is not None}
    now = {tag_id: _became(connection, tag_id) for tag_id in _missing(connection, tag, wanted)}
    if not now:
        return list(batch)
    table = asset_tag if batch[0].table_name == asset_tag.name else tag_rejection
    found: dict[tuple[Any, ...], Change] = {}
    for change in batch:
        became = None if change.before is None else now.get(change.before["tag_id"])
        key = change.key if became is None else {**change.key, "tag_id": became}
        place = tuple(sorted(key.items()))
        if change.before is None or became is None:
            found[place] = change
            continue
        here = select(table.c.asset_id).where(table.c.asset_id == key["asset_id"], table.c.tag_id == became)
        # Several tags of a photo may have become one.
        if place not in found and connection.execute(here).first() is None:
            found[place] = replace(change, key=key, before={**change.before, "tag_id": became})
    return list(found.values())


def _became(connection: Connection, tag_id: Any) -> int | None:
    """Return the tag that a removed one was merged into."""
    for change in changes_of_row(connection, Change(tag.name, {"id": tag_id}, None, None)):
        row = change.before or change.after or {}
        found = connection.execute(
            select(tag_alias.c.tag_id).where(tag_alias.c.name_key == row.get("name_key"))
        ).scalar()
        if found is not None:
            return int(found)
    return None


def _labels(connection: Connection, batch: Sequence[Change]) -> list[Change]:
    contents = [change.key["asset_id"] for change in batch]
    rows = rows_as_changes(connection, label, select(label).where(label.c.asset_id.in_(contents)))
    current = {tuple(change.key.values()): change.before for change in rows}
    gone = _missing(connection, variant, {change.before["variant_id"] for change in batch if change.before is not None})
    return [
        change
        for change in batch
        if current.get(tuple(change.key[column.name] for column in label.primary_key.columns)) == change.after
        and (change.before is None or change.before["variant_id"] not in gone)
    ]


def _missing(connection: Connection, table: Table, ids: Collection[Any]) -> set[Any]:
    wanted = set(ids)
    return wanted - set(connection.execute(select(table.c.id).where(table.c.id.in_(wanted))).scalars())
