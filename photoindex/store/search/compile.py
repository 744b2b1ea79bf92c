"""Compile a query's syntax tree to SQL with bound values, and run it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
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
from photoindex.store.engine.statements import fetch_numbers, numbers
from photoindex.store.schema.tables import asset, file, photo
from photoindex.store.search import fields, people, text_index
from photoindex.store.search.conditions import is_event, present
from photoindex.store.search.first_in_order import first_ids
from photoindex.store.search.found_photos import FILE_ORDER, FILES_OF_PHOTOS
from photoindex.store.search.paths import folder_text

Condition = ColumnElement[bool]

_MANY = 50_000
"""From here on photos are put in order by the index of the whole library."""
_FEW = 1_000
"""As many photos of a frequent person are found sooner by walking than by sorting all of theirs."""


def _of_first_file(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    files = select(expression).select_from(FILES_OF_PHOTOS).where(asset.c.photo_id == photo.c.id)
    return files.order_by(*FILE_ORDER).limit(1).correlate(photo).scalar_subquery()


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
        if limit is None and key is photo.c.taken_at:
            return _all_by_date(connection, wanted, sort)[offset:]
        if limit is not None and sort.removeprefix("-") in ("path", "name") and 0 < limit + offset <= _FEW:
            first = first_ids(connection, wanted, sort, limit + offset)
            if first is not None:
                return array("q", first[offset:])
        statement = select(photo.c.id).where(wanted).order_by(*_order(sort)).limit(limit).offset(offset or None)
        return fetch_numbers(connection, statement)


def _all_by_date(connection: Connection, wanted: Condition, sort: str) -> array[int]:
    """Return all photos by date.

    SQLite would look at each photo in the order of the index on dates, which is all over the table, or sort them all.
    Reading them in their own order, and the index by itself, is several times faster where they are many.
    """
    found = fetch_numbers(connection, select(photo.c.id).where(wanted))
    if len(found) <= _MANY:
        return array("q", ordered_ids(connection, found, sort))
    is_found = bytearray(max(found) + 1)
    for photo_id in found:
        is_found[photo_id] = 1
    in_order = fetch_numbers(connection, select(photo.c.id).where(photo.c.id <= max(found)).order_by(*_order(sort)))
    return array("q", (photo_id for photo_id in in_order if is_found[photo_id]))


def ordered_ids(connection: Connection, photo_ids: Sequence[int], sort: str) -> list[int]:
    """Return photos in an order, as for `matching_ids`."""
    statement = select(photo.c.id).where(photo.c.id.in_(numbers(photo_ids))).order_by(*_order(sort))
    with engine_of(connection).functions(connection):
        return fetch_numbers(connection, statement).tolist()


def _order(sort: str) -> list[ColumnElement[Any]]:
    key = SORT_KEYS[sort.removeprefix("-")]
    if sort.startswith("-"):
        return [key.desc().nulls_last(), photo.c.id.desc()]
    return [key.asc().nulls_last(), photo.c.id.asc()]


def has_event(connection: Connection, value: str) -> bool:
    """Return whether an event has this key, or this text in its title or places, as for `event:value`."""
    with engine_of(connection).functions(connection):
        return connection.execute(select(exists().where(is_event(value)))).scalar_one()
