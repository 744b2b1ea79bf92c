"""Compile a query's syntax tree to SQL with bound values, and run it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
)

from photoindex.query.syntax import And, Compare, Node, Not, Words, leaves
from photoindex.store.engine.path_columns import path_bytes, stored_text
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import as_parameter, is_given, numbers
from photoindex.store.schema.tables import asset, file, folder, photo, volume
from photoindex.store.search import fields, people, text_index
from photoindex.store.search.conditions import is_event, present
from photoindex.store.search.paths import folder_text

Condition = ColumnElement[bool]

# An alias for photo, because SQLite does not resolve columns of an outer query in ORDER BY.
_owner = photo.alias("owner")
_FILES_OF_PHOTOS = (
    asset.join(_owner, _owner.c.id == asset.c.photo_id)
    .join(file, file.c.asset_id == asset.c.id)
    .join(folder, folder.c.id == file.c.folder_id)
    .join(volume, volume.c.id == folder.c.volume_id)
)
_FILE_ORDER = (file.c.state != "present", asset.c.id != _owner.c.primary_asset_id, file.c.id)
"""The order of a photo's files: present ones first, then those of the primary content, then by id."""


_FEW = 1_000
"""As many photos of a frequent person are found sooner by walking than by sorting all of theirs."""


def _of_first_file(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    files = select(expression).select_from(_FILES_OF_PHOTOS).where(asset.c.photo_id == photo.c.id)
    return files.order_by(*_FILE_ORDER).limit(1).correlate(photo).scalar_subquery()


SORT_KEYS: Mapping[str, ColumnElement[Any]] = {
    "date": photo.c.taken_at,
    "name": _of_first_file(func.lower(stored_text(file.c.name))),
    "path": _of_first_file(path_bytes(folder_text() + stored_text(file.c.name))),
    "size": photo.c.size_bytes,
    "width": photo.c.width,
    "rating": photo.c.rating,
    "added": photo.c.added_at,
    "id": photo.c.id,
}
"""Sort key -> expression; photos without a value come last in both directions."""


def is_present_only(node: Node) -> bool:
    """Return whether a query finds only photos with a present file, because no term asks for missing ones."""
    return not any(isinstance(leaf, Compare) and fields.finds_missing(leaf) for leaf in leaves(node))


def condition(node: Node, *, present_only: bool | None = None) -> Condition:
    """Return the SQL condition on `photo` that is true for photos matched by `node`.

    present_only: whether to require a present file; None: derived from the query by `is_present_only`.
    """
    return _with_presence(_compiled(node), node, present_only=present_only)


def _with_presence(found: Condition, node: Node, *, present_only: bool | None) -> Condition:
    return and_(found, present()) if (is_present_only(node) if present_only is None else present_only) else found


def _compiled(node: Node, frequent: Compare | None = None) -> Condition:
    """Return the condition without that of presence. frequent: a person who is looked for in each photo."""
    if isinstance(node, Words):
        return text_index.matching(node.text, prefix=node.prefix)
    if isinstance(node, Compare):
        return people.shows_looked_at_singly(node.value or "") if node is frequent else fields.condition(node)
    if isinstance(node, Not):
        # Not plain NOT: a photo without a date is none of 2019, and NOT NULL would hide it.
        return _compiled(node.part, frequent).is_not(true())
    parts = [_compiled(part, frequent) for part in node.parts if isinstance(node, And) or part is frequent]
    if isinstance(node, And):
        return and_(true(), *parts)
    values, others = fields.lists([part for part in node.parts if part is not frequent])
    return or_(false(), *parts, *values, *(_compiled(part, frequent) for part in others))


def count(connection: Connection, node: Node, *, present_only: bool | None = None) -> int:
    """Return how many photos match; `present_only` as in `condition`."""
    statement = select(func.count()).select_from(photo).where(condition(node, present_only=present_only))
    with engine_of(connection).functions(connection):
        return connection.execute(statement).scalar_one()


def matching_ids(
    connection: Connection,
    node: Node,
    *,
    sort: str = "id",
    limit: int | None = None,
    offset: int = 0,
    present_only: bool | None = None,
) -> array[int]:
    """Return the ids of matching photos, 8 bytes per photo.

    sort: a key of SORT_KEYS, with `-` for descending; ties are sorted by id. present_only: as in `condition`.
    """
    key = SORT_KEYS[sort.removeprefix("-")]
    with engine_of(connection).functions(connection):
        # All photos of a frequent person are many more than the first few in the order of time, which has an index.
        is_short = limit is not None and limit + offset <= _FEW and key is photo.c.taken_at
        frequent = fields.frequent_person(connection, node) if is_short else None
        wanted = _with_presence(_compiled(node, frequent), node, present_only=present_only)
        statement = select(photo.c.id).where(wanted).order_by(*_order(sort)).limit(limit).offset(offset or None)
        return array("q", connection.execute(statement).scalars())


def ordered_ids(connection: Connection, photo_ids: Sequence[int], sort: str) -> list[int]:
    """Return photos in an order, as for `matching_ids`."""
    statement = select(photo.c.id).where(photo.c.id.in_(numbers(photo_ids))).order_by(*_order(sort))
    with engine_of(connection).functions(connection):
        return list(connection.execute(statement).scalars())


def _order(sort: str) -> list[ColumnElement[Any]]:
    key = SORT_KEYS[sort.removeprefix("-")]
    if sort.startswith("-"):
        return [key.desc().nulls_last(), photo.c.id.desc()]
    return [key.asc().nulls_last(), photo.c.id.asc()]


def has_event(connection: Connection, value: str) -> bool:
    """Return whether an event has this key, or this text in its title or places, as for `event:value`."""
    with engine_of(connection).functions(connection):
        return connection.execute(select(exists().where(is_event(value)))).scalar_one()


def photo_rows(connection: Connection, photo_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return photo id -> row, without `sources` and with the primary content's `digest`; unknown ids are omitted."""
    columns = [column for column in photo.c if column is not photo.c.sources]
    statement: Select[Any] = select(*columns, asset.c.digest).outerjoin(asset, asset.c.id == photo.c.primary_asset_id)
    rows = connection.execute(statement.where(photo.c.id.in_(photo_ids))).mappings()
    return {row["id"]: dict(row) for row in rows}


_files = (
    select(asset.c.photo_id, volume.c.mount_point, folder.c.path.label("folder_path"), file.c.name, file.c.state)
    .select_from(_FILES_OF_PHOTOS)
    .where(is_given(asset.c.photo_id, "photo_ids"))
    .order_by(asset.c.photo_id, *_FILE_ORDER)
)


def file_rows(connection: Connection, photo_ids: Sequence[int]) -> Sequence[Any]:
    """Return `photo_id`, `mount_point`, `folder_path`, `name`, `state` of files, by photo and `_FILE_ORDER`."""
    return connection.execute(_files, {"photo_ids": as_parameter(photo_ids)}).all()
