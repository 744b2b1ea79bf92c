"""What follows from the facts of photos once they are resolved: their keywords as tags, and their documents."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from photoindex.store.words import documents, tags


def follow(connection: Connection, photo_ids: Collection[int]) -> None:
    """Bring the words of photos up to date; call it in the transaction that resolved them, once for all of them."""
    tags.store_keywords(connection, photo_ids)
    documents.refresh(connection, photo_ids)
