"""Resolves again what people state of many photos at once: rating, caption, favourite; nothing else follows from these."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve_said
from photoindex.pipeline.resolve.evidence import gather_all
from photoindex.store.engine.chunks import chunks
from photoindex.store.photos import said

_AT_ONCE = 500


def refresh_said(connection: Connection, photo_ids: Collection[int]) -> None:
    """Write of each photo what `Resolver` would write of these facts, in the transaction that changed what they follow from."""
    for some in chunks(sorted(photo_ids), _AT_ONCE):
        evidence = gather_all(connection, some)
        said.store(connection, {photo_id: resolve_said(one.facts) for photo_id, one in evidence.items()})
