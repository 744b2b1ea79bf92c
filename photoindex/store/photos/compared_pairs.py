"""Pairs of contents that were compared by their pictures, and which contents were compared with all others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, func, select, type_coerce, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import fetch_numbers, upsert
from photoindex.store.photos.duplicates import has_picture_to_compare
from photoindex.store.schema.tables import asset, compared_pair, picture_hash, vector

SAME: Final = "same"
OTHER: Final = "other"
LINKED: Final = "linked"
ONE_PHOTO: Final = "one_photo"
_KEYS = 500
_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class StoredPair:
    """One pair. first, second: asset ids, first < second. outcome: a constant of this module. found: of the comparison, as JSON."""

    first: int
    second: int
    outcome: str
    found: str


def put(connection: Connection, pairs: Sequence[StoredPair], *, version: int) -> None:
    """Write pairs, replacing what was known of them."""
    if not pairs:
        return
    statement = upsert(compared_pair)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["first_id", "second_id"],
        set_={"version": new.version, "outcome": new.outcome, "found": new.found},
    )
    rows = [
        {
            "first_id": one.first, "second_id": one.second, "version": version, "outcome": one.outcome,
            "found": json.loads(one.found),
        }
        for one in pairs
    ]  # fmt: skip
    connection.execute(statement, rows)


def stored(connection: Connection, *, version: int) -> Iterator[StoredPair]:
    """Yield all pairs of one version."""
    columns = (
        compared_pair.c.first_id,
        compared_pair.c.second_id,
        compared_pair.c.outcome,
        type_coerce(compared_pair.c.found, Text),
    )
    statement = select(*columns).where(compared_pair.c.version == version)
    for rows in connection.execute(statement).partitions(_ROWS):
        yield from (StoredPair(*row) for row in rows)


def hashed(connection: Connection, *, hashes: int) -> NDArray[np.int64]:
    """Return the contents with hashes of one version: int64 [n], ascending."""
    statement = select(picture_hash.c.asset_id).where(picture_hash.c.version == hashes)
    return np.sort(np.array(fetch_numbers(connection, statement), np.int64))


def marked(connection: Connection, *, hashes: int, version: int, space_id: int | None = None) -> NDArray[np.int64]:
    """Return the contents that were compared with all others: int64 [n], ascending. space_id: and with their neighbours there."""
    statement = select(picture_hash.c.asset_id).where(
        picture_hash.c.version == hashes, picture_hash.c.compared == version
    )
    if space_id is not None:
        statement = statement.where(picture_hash.c.compared_space == space_id)
    return np.sort(np.array(fetch_numbers(connection, statement), np.int64))


def unmarked(connection: Connection, *, hashes: int, version: int) -> NDArray[np.int64]:
    """Return the contents with hashes of this version that were not compared with all others yet, int64 [n]; see `present`."""
    statement = select(picture_hash.c.asset_id).where(
        picture_hash.c.version == hashes, picture_hash.c.compared.is_distinct_from(version)
    )
    return np.array(fetch_numbers(connection, statement), np.int64)


def present(connection: Connection, asset_ids: Sequence[int]) -> int:
    """Return how many of some contents have a picture and a file."""
    return sum(
        connection.execute(
            select(func.count()).select_from(asset).where(asset.c.id.in_(some), *has_picture_to_compare())
        ).scalar_one()
        for some in chunks(asset_ids, _KEYS)
    )


def embedded(connection: Connection, space_id: int) -> NDArray[np.int64]:
    """Return the contents with a vector in a space: int64 [n], ascending; of videos, those whose poster frame has one."""
    statement = select(vector.c.asset_id).where(vector.c.space_id == space_id, vector.c.frame == 0)
    return np.sort(np.array(fetch_numbers(connection, statement), np.int64))


def mark(connection: Connection, asset_ids: Sequence[int], *, version: int) -> None:
    """Note that contents were compared with all others that are marked."""
    for some in chunks(asset_ids, _KEYS):
        connection.execute(update(picture_hash).where(picture_hash.c.asset_id.in_(some)).values(compared=version))


def unmark(connection: Connection, asset_ids: Sequence[int]) -> None:
    """Have contents compared with all others again."""
    for some in chunks(asset_ids, _KEYS):
        connection.execute(
            update(picture_hash).where(picture_hash.c.asset_id.in_(some)).values(compared=None, compared_space=None)
        )


def forget(connection: Connection, asset_ids: Sequence[int]) -> None:
    """Delete the pairs of contents whose pictures may have changed."""
    for some in chunks(asset_ids, _KEYS):
        for column in (compared_pair.c.first_id, compared_pair.c.second_id):
            connection.execute(compared_pair.delete().where(column.in_(some)))


def mark_neighbours(connection: Connection, asset_ids: Sequence[int], space_id: int) -> None:
    """Note that contents were compared with their nearest neighbours in a space."""
    for some in chunks(asset_ids, _KEYS):
        connection.execute(
            update(picture_hash).where(picture_hash.c.asset_id.in_(some)).values(compared_space=space_id)
        )


def has_other_versions(connection: Connection, *, version: int) -> bool:
    """Tell whether there are pairs of other versions."""
    other = select(compared_pair.c.version).where(compared_pair.c.version != version).limit(1)
    return connection.execute(other).first() is not None


def forget_other_versions(connection: Connection, *, version: int) -> None:
    """Delete the pairs of other versions, whose contents are compared anew."""
    connection.execute(compared_pair.delete().where(compared_pair.c.version != version))
    other = picture_hash.c.compared != version
    connection.execute(update(picture_hash).where(other).values(compared=None, compared_space=None))
