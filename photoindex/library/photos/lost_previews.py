"""Puts contents whose preview or thumbnail turned out to be unreadable back into the queue of `scan`."""

from __future__ import annotations

from collections.abc import Collection

from photoindex.errors import DatabaseFailed, LibraryLocked, StorageFull
from photoindex.library.derived_folder import is_away
from photoindex.library.handle import Library
from photoindex.store.photos import derived_flags


def mark_lost_if_possible(library: Library, asset_ids: Collection[int]) -> None:
    """Let the next scan make the derived files of these contents again; nothing happens where nothing can be written."""
    if is_away(library):
        return
    try:
        with library.database.write() as connection:
            derived_flags.mark_lost(connection, asset_ids)
    except (DatabaseFailed, LibraryLocked, StorageFull):
        return
