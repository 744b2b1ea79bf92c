"""Database queries for semantic search: the photos of vectors, and filters on candidates."""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select

from photoindex.query.syntax import Node
from photoindex.store.engine.base import StepsExceeded
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import fetch_numbers, given_numbers
from photoindex.store.schema.tables import asset, photo, variant, vector
from photoindex.store.schema.tables import space as spaces
from photoindex.store.search.compile import SORT_KEYS, condition
from photoindex.store.search.paths import at_path, by_path

SUPERSEDED = "superseded"

_given = given_numbers("numbers")


def variant_key(connection: Connection, space_id: int) -> str | None:
    """Return the canonical JSON of everything that determines the vectors of a space; None if it was dropped."""
    statement = select(variant.c.key).join(spaces, spaces.c.variant_id == variant.c.id).where(spaces.c.id == space_id)
    return connection.execute(statement).scalar_one_or_none()


def photos_if_few(
    connection: Connection, node: Node, *, present_only: bool, at_most: int | None, steps: int | None = None
) -> array[int] | None:
    """Return the ids of photos that match a filter, ascending; None if there are too many or it takes too many steps.

    present_only: as in `compile.condition`. at_most, steps: limits, None for no limit. Steps are counted by the engine,
    tens of millions per second, so that the result depends only on the library and not on the load of the computer.
    """
    limit = None if at_most is None else at_most + 1
    statement = select(photo.c.id).where(condition(node, present_only=present_only)).limit(limit)
    try:
        engine = engine_of(connection)
        with engine.functions(connection), engine.limited(connection, steps):
            found = fetch_numbers(connection, statement)
    except StepsExceeded:
        return None
    return array("q", sorted(found)) if at_most is None or len(found) <= at_most else None


def photos_among(connection: Connection, photo_ids: Collection[int], node: Node, *, present_only: bool) -> set[int]:
    """Return those of some photos that match a filter."""
    statement = select(photo.c.id).where(_is_among(photo.c.id), condition(node, present_only=present_only))
    with engine_of(connection).functions(connection):
        return set(fetch_numbers(connection, statement, _numbers(photo_ids)))


def sorted_photos(connection: Connection, photo_ids: Collection[int], *, sort: str, descending: bool) -> list[int]:
    """Return photos sorted by a key of `compile.SORT_KEYS`, then by id."""
    key = SORT_KEYS[sort]
    order = [key.desc().nulls_last(), photo.c.id.desc()] if descending else [key.asc().nulls_last(), photo.c.id.asc()]
    statement = select(photo.c.id).where(_is_among(photo.c.id)).order_by(*order)
    return fetch_numbers(connection, statement, _numbers(photo_ids)).tolist()


class VectorOfPhoto(NamedTuple):
    """A vector's id and the photo that it belongs to."""

    vector_id: int
    photo_id: int


def photos_of_vectors(connection: Connection, vector_ids: Collection[int]) -> list[VectorOfPhoto]:
    """Return the photos of some vectors; vectors that are deleted or of superseded contents are omitted."""
    rows = connection.execute(_current().where(_is_among(vector.c.id)), _numbers(vector_ids))
    return [VectorOfPhoto(*row) for row in rows]


def vectors_matching(connection: Connection, space_id: int, node: Node) -> array[int]:
    """Return the vectors in a space of all photos that match a filter, ascending.

    Includes missing photos and superseded contents; callers exclude these with `photos_of_vectors` and `photos_among`.
    """
    # Nested IN queries, so that SQLite reads each index in order instead of jumping between them.
    content = asset.alias("content")
    contents = select(content.c.id).where(
        content.c.photo_id.in_(select(photo.c.id).where(condition(node, present_only=False)))
    )
    statement = select(vector.c.id).where(vector.c.space_id == space_id, vector.c.asset_id.in_(contents))
    with engine_of(connection).functions(connection):
        return array("q", sorted(fetch_numbers(connection, statement)))


def vectors_of_photos(connection: Connection, space_id: int, photo_ids: Collection[int]) -> list[VectorOfPhoto]:
    """Return the vectors of some photos in a space, by id; those of superseded contents are omitted."""
    # Select the contents in a subquery too, or SQLite would start with all vectors of the space.
    content = asset.alias("content")
    contents = select(content.c.id).where(_is_among(content.c.photo_id))
    statement = _current().where(vector.c.space_id == space_id, vector.c.asset_id.in_(contents))
    return sorted(VectorOfPhoto(*row) for row in connection.execute(statement, _numbers(photo_ids)))


def vector_of_photo(connection: Connection, space_id: int, photo_id: int) -> bytes | None:
    """Return the first vector, float16 little-endian, of a photo's primary content, or of another current content."""
    contents = vector.join(asset, asset.c.id == vector.c.asset_id).join(photo, photo.c.id == asset.c.photo_id)
    statement = (
        select(vector.c.data)
        .select_from(contents)
        .where(vector.c.space_id == space_id, photo.c.id == photo_id, asset.c.role != SUPERSEDED)
        .order_by(asset.c.id != photo.c.primary_asset_id, asset.c.id, vector.c.frame)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def photos_at(connection: Connection, path: str, scope: Node, *, limit: int) -> list[int]:
    """Return the first photos in scope with a file at an absolute path or the end of a path.

    Files with exactly these bytes come alone; without any, the path is compared as by `path:`.
    """
    in_scope = select(photo.c.id).where(condition(scope, present_only=False)).order_by(photo.c.id).limit(limit)
    with engine_of(connection).functions(connection):
        exact = list(connection.execute(in_scope.where(at_path(path, exactly=True))).scalars())
        return exact or list(connection.execute(in_scope.where(at_path(path, exactly=False))).scalars())


def has_photo_below(connection: Connection, path: str, scope: Node) -> bool:
    """Return whether a photo in scope is at or below a path, as `path:` finds them."""
    statement = select(photo.c.id).where(by_path(path), condition(scope, present_only=False)).limit(1)
    with engine_of(connection).functions(connection):
        return connection.execute(statement).first() is not None


def _current() -> Select[Any]:
    contents = vector.join(asset, asset.c.id == vector.c.asset_id)
    return select(vector.c.id, asset.c.photo_id).select_from(contents).where(asset.c.role != SUPERSEDED)


def _is_among(of: ColumnElement[Any]) -> ColumnElement[bool]:
    # As one JSON text: SQLite does not accept a million parameters.
    return of.in_(select(_given.c.value))


def _numbers(numbers: Collection[int]) -> dict[str, str]:
    return {"numbers": json.dumps([int(number) for number in numbers])}
