"""The perceptual hashes of contents and of windows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.predicates import has_state
from photoindex.store.engine.statements import fetch_numbers, upsert
from photoindex.store.photos import compared_pairs
from photoindex.store.schema.tables import asset, picture_hash, task
from photoindex.store.tasks.asset_tasks import has_usable_preview
from photoindex.types import PictureHash, Result

_KEYS = 500
_ROWS = 10_000
_NO_VERSION = 0


@dataclass(frozen=True, slots=True)
class HashWriter:
    """Stores what the stage `hash` makes. version: of the hashes."""

    version: int

    def put(self, connection: Connection, results: Mapping[int, Sequence[Result]]) -> None:
        """Write the hashes among the results (asset id -> results), replacing earlier ones of these contents."""
        found = {asset_id: one for asset_id, some in results.items() for one in some if isinstance(one, PictureHash)}
        put(connection, found, version=self.version)


def put(connection: Connection, found: Mapping[int, PictureHash], *, version: int) -> None:
    """Write the hashes of contents (asset id -> hashes), replacing earlier ones."""
    if not found:
        return
    statement = upsert(picture_hash)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["asset_id"],
        set_={
            "version": new.version,
            "full": new.full,
            "windows": new.windows,
            "content": new.content,
            "compared": None,
            "compared_space": None,
        },
    )
    rows = [
        {
            "asset_id": asset_id, "version": version, "full": int(np.uint64(one.full).astype(np.int64)),
            "windows": one.windows, "content": one.content,
        }
        for asset_id, one in found.items()
    ]  # fmt: skip
    connection.execute(statement, rows)
    compared_pairs.forget(connection, list(found))


def to_hash(connection: Connection, *, version: int, variant_id: int) -> list[int]:
    """Return the contents with a preview but without hashes of this version, except those given up, by id."""
    known = select(picture_hash.c.asset_id).where(
        picture_hash.c.asset_id == asset.c.id, picture_hash.c.version == version
    )
    given_up = select(task.c.id).where(
        task.c.subject_kind == "asset", task.c.subject_id == asset.c.id, task.c.stage == "hash",
        task.c.variant_id == variant_id, has_state("quarantined"),
    )  # fmt: skip
    statement = select(asset.c.id).where(has_usable_preview(), ~known.exists(), ~given_up.exists())
    return fetch_numbers(connection, statement.order_by(asset.c.id)).tolist()


def make_again(connection: Connection, photo_ids: Sequence[int] | None, *, version: int, dry_run: bool) -> int:
    """Have the hashes of some photos' contents made again, None: of all; return how many."""
    made = picture_hash.c.version == version
    if photo_ids is None:
        return _withdrawn(connection, made, dry_run=dry_run)
    return sum(
        _withdrawn(
            connection,
            and_(made, picture_hash.c.asset_id.in_(select(asset.c.id).where(asset.c.photo_id.in_(some)))),
            dry_run=dry_run,
        )
        for some in chunks(photo_ids, _KEYS)
    )


def _withdrawn(connection: Connection, chosen: ColumnElement[bool], *, dry_run: bool) -> int:
    if dry_run:
        return connection.execute(select(func.count()).where(chosen)).scalar_one()
    return int(connection.execute(update(picture_hash).where(chosen).values(version=_NO_VERSION)).rowcount)


@dataclass(frozen=True, slots=True)
class StoredHashes:
    """Hashes of one version: asset_ids int64 [n], ascending; full uint64 [n]; windows uint64 [n, windows]."""

    asset_ids: NDArray[np.int64]
    full: NDArray[np.uint64]
    windows: NDArray[np.uint64]


def stored(connection: Connection, *, version: int, windows: int) -> StoredHashes:
    """Return all hashes of one version. windows: how many each content has."""
    statement = select(picture_hash.c.asset_id, picture_hash.c.full, picture_hash.c.windows)
    statement = statement.where(picture_hash.c.version == version).order_by(picture_hash.c.asset_id)
    numbers: list[NDArray[np.int64]] = []
    blocks: list[NDArray[np.uint64]] = []
    for rows in connection.execute(statement).partitions(_ROWS):
        numbers.append(np.array([(row[0], row[1]) for row in rows], np.int64))
        joined = b"".join(row[2] for row in rows)
        blocks.append(np.frombuffer(joined, "<u8").astype(np.uint64).reshape(len(rows), windows))
    if not numbers:
        return StoredHashes(np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros((0, windows), np.uint64))
    pairs = np.concatenate(numbers)
    return StoredHashes(pairs[:, 0].copy(), pairs[:, 1].astype(np.uint64), np.concatenate(blocks))


def contents(connection: Connection, asset_ids: Sequence[int], *, version: int) -> dict[int, bytes]:
    """Return asset id -> the packed rectangle of its content, for contents with hashes of this version."""
    found: dict[int, bytes] = {}
    for some in chunks(list(asset_ids), _KEYS):
        statement = select(picture_hash.c.asset_id, picture_hash.c.content).where(
            picture_hash.c.asset_id.in_(some), picture_hash.c.version == version
        )
        found.update((row.asset_id, row.content) for row in connection.execute(statement))
    return found
