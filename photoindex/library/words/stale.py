"""What is out of date after a person's words, or their undo, changed rows: full-text documents, and keywords as tags."""

from __future__ import annotations

from sqlalchemy import Connection

from photoindex.store.journal.journal import Change
from photoindex.store.schema.tables import asset, asset_tag, label, tag, tag_alias, tag_rejection
from photoindex.store.tasks import stale
from photoindex.store.words import documents, holders

_OF_CONTENTS = (asset_tag.name, tag_rejection.name, label.name)


class StaleWords:
    """Collects the changes of a journal entry, then brings what depends on them up to date."""

    def __init__(self) -> None:
        self._contents: set[int] = set()
        self._tags: set[int] = set()
        self._names: set[int] = set()
        self._restored: set[int] = set()
        self._merged = False

    def add(self, change: Change) -> None:
        """Take one change into account."""
        rows = [row for row in (change.before, change.after) if row is not None]
        if change.table_name in _OF_CONTENTS:
            self._contents.add(int(str(change.key["asset_id"])))
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
        documents.refresh(connection, photos)
        if self._merged:
            # An alias says what keywords mean.
            stale.resolve_later(connection, holders.photos_with_keywords_of(connection, self._tags | self._names))
        stale.resolve_later(connection, holders.photos_with_keywords(connection, self._restored))
