"""Which contents have derived files, according to the database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from photoindex.store.engine.chunks import chunks
from photoindex.store.schema.tables import asset

_IDS_PER_STATEMENT = 500


def derived_between(connection: Connection, first: bytes, past_last: bytes | None) -> dict[bytes, int]:
    """Return digest -> asset id of the contents with derived files whose digests are in a range; None: to the end."""
    conditions = [asset.c.derived.is_(True), asset.c.digest >= first]
    if past_last is not None:
        conditions.append(asset.c.digest < past_last)
    return {row.digest: row.id for row in connection.execute(select(asset.c.digest, asset.c.id).where(*conditions))}


def has_derived(connection: Connection) -> bool:
    """Tell whether any content has derived files."""
    return connection.execute(select(asset.c.id).where(asset.c.derived.is_(True)).limit(1)).first() is not None


def mark_lost(connection: Connection, asset_ids: Collection[int]) -> None:
    """Mark contents as without derived files, so that the next scan makes them from the originals."""
    ids = sorted(asset_ids)
    for chunk in chunks(ids, _IDS_PER_STATEMENT):
        connection.execute(update(asset).where(asset.c.id.in_(chunk)).values(derived=False))
