"""Resolves again what a person says of many photos at once, and what their word leaves of the keywords in files."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve_keywords, resolve_said
from photoindex.pipeline.resolve.evidence import gather_all
from photoindex.store.engine.chunks import chunks
from photoindex.store.photos import said
from photoindex.store.words import documents, resolved

_AT_ONCE = 500


def refresh_said(connection: Connection, photo_ids: Collection[int]) -> None:
    """Write the rating, description and favourite of photos as `Resolver` would; of other facts none follows from these.

    Call it in the transaction that changed what they follow from.
    """
    for some in chunks(sorted(photo_ids), _AT_ONCE):
        evidence = gather_all(connection, some)
        found = {photo_id: resolve_said(one.facts) for photo_id, one in evidence.items()}
        documents.refresh(connection, said.store(connection, found))


def refresh_keywords(connection: Connection, photo_ids: Collection[int]) -> None:
    """Write the keywords of photos as `Resolver` would, after a person rejected some or took that back."""
    for some in chunks(sorted(photo_ids), _AT_ONCE):
        evidence = gather_all(connection, some)
        said.store_keywords(connection, {photo_id: resolve_keywords(one.facts) for photo_id, one in evidence.items()})
        resolved.follow(connection, evidence)
