"""Marks what becomes stale when a change of people is undone: what was counted, and photos whose files name people."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from photoindex.store.journal.journal import Change
from photoindex.store.people import counts, marked, summaries
from photoindex.store.tasks import stale
from photoindex.store.words.people import ChangedFaces, people_changed

_CHUNK = 1000


class StalePeople:
    """Collects changes of a journal entry, one by one, and marks what they make stale."""

    def __init__(self) -> None:
        self._regions: set[int] = set()
        self._assets: set[int] = set()
        self._individuals: set[int] = set()
        self._named: set[int] = set()
        self._faces = ChangedFaces()

    def add(self, change: Change) -> None:
        """Look at one change of a row."""
        self._faces.add(change)
        rows = [row for row in (change.before, change.after) if row is not None]
        if change.table_name in ("assignment", "rejection"):
            self._regions.update(_numbers(row["region_id"] for row in rows))
            self._individuals.update(_numbers(row["individual_id"] for row in rows))
        elif change.table_name == "individual":
            self._individuals.update(_numbers(row["id"] for row in rows))
        elif change.table_name == "individual_alias":
            self._named.update(_numbers(row["individual_id"] for row in rows))
        elif change.table_name == "region":
            self._assets.update(_numbers(row["asset_id"] for row in rows))
        elif change.table_name == "asset" and change.before is None:
            self._assets.update(_numbers([change.key["id"]]))

    def mark(self, connection: Connection) -> None:
        """Forget what was counted, count the faces of restored photos again, and schedule photos whose files name people."""
        people_changed(connection, self._individuals | self._named, self._faces)
        assets = sorted(self._assets)
        counts.refresh(connection, assets)
        for asset_id in assets:
            summaries.forget_of_asset(connection, asset_id)
        # The name that files gave was taken back, so that it means nobody until the files are read again.
        nameless = marked.with_alias_only(connection, sorted(self._individuals))
        self._named.update(nameless)
        to_resolve = marked.assets_of_regions(connection, sorted(self._regions))
        to_resolve |= marked.assets_of_individuals(connection, sorted(self._named))
        marked.forget_aliases(connection, nameless)
        named = sorted(to_resolve)
        for start in range(0, len(named), _CHUNK):
            stale.resolve_photos_of_assets_later(connection, named[start : start + _CHUNK])


def _numbers(values: Iterable[object]) -> list[int]:
    return [value for value in values if isinstance(value, int)]
