"""What is out of date after a person's words, or their undo, changed rows: full-text documents, and keywords as tags."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from photoindex.pipeline.resolve.said import refresh_keywords
from photoindex.store.journal.journal import Change
from photoindex.store.schema.tables import asset, asset_tag, label, tag, tag_alias, tag_rejection
from photoindex.store.tasks import stale
from photoindex.store.words import documents, holders
from photoindex.store.words.photo_tags import TagChange

_OF_CONTENTS = (asset_tag.name, tag_rejection.name, label.name)


class StaleWords:
    """Collects the changes of a journal entry, then brings what depends on them up to date."""

    def __init__(self) -> None:
        self._contents: set[int] = set()
        self._judged: set[int] = set()
        self._tags: set[int] = set()
        self._names: set[int] = set()
        self._restored: set[int] = set()
        self._merged = False

    def add(self, change: Change) -> None:
        """Take one change into account."""
        rows = [row for row in (change.before, change.after) if row is not None]
        if change.table_name in _OF_CONTENTS:
            self._contents.add(int(str(change.key["asset_id"])))
            if change.table_name == tag_rejection.name:
                self._judged.add(int(str(change.key["asset_id"])))
        elif change.table_name == tag.name:
            self._tags.add(int(str(change.key["id"])))
            self._merged |= len(rows) == 1
        elif change.table_name == tag_alias.name:
            self._names.update(int(str(row["tag_id"])) for row in rows)
        elif change.table_name == asset.name and change.before is None:
            self._restored.add(int(str(change.key["id"])))

    def refresh(self, connection: Connection) -> None:
        """Rewrite the documents, in the transaction that made the changes; tags of keywords follow when photos are resolved."""
        photos = holders.photos_of_contents(connection, self._contents) | holders.photos_of_tags(connection, self._tags)
        judged = holders.photos_of_contents(connection, self._judged)
        if self._merged:
            # What was rejected of one tag is rejected of the other, and of its keywords.
            judged |= holders.photos_that_reject(connection, self._tags | self._names)
        _refresh(connection, photos, judged=judged)
        if self._merged:
            # An alias says what keywords mean.
            stale.resolve_later(connection, holders.photos_with_keywords_of(connection, self._tags | self._names))
        stale.resolve_later(connection, holders.photos_with_keywords(connection, self._restored))


def tags_changed(connection: Connection, done: TagChange) -> None:
    """Bring up to date what depends on tags that a person gave, took away or judged."""
    _refresh(connection, done.photos, judged=done.judged)


def _refresh(connection: Connection, photo_ids: Collection[int], *, judged: Collection[int]) -> None:
    refresh_keywords(connection, holders.with_tags_in_files(connection, judged))
    documents.refresh(connection, photo_ids)
