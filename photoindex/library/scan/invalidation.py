"""Marks what becomes stale after a user's change; `refresh` recomputes it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import SAID
from photoindex.library.people.decisions.stale import StalePeople
from photoindex.library.words.stale import StaleWords
from photoindex.pipeline.resolve.relate import regroup
from photoindex.pipeline.resolve.said import refresh_said
from photoindex.store.engine.chunks import chunks
from photoindex.store.journal import journal
from photoindex.store.journal.journal import Change
from photoindex.store.tasks import stale
from photoindex.store.words.holders import photos_of_contents

_CHUNK = 1000


def invalidate(connection: Connection, entry_id: int) -> None:
    """Mark what becomes stale by the changes of a journal entry, in the transaction that made them."""
    invalidate_changed(connection, journal.changes_of(connection, entry_id))


def invalidate_changed(connection: Connection, changes: Iterable[Change]) -> None:
    """Mark what becomes stale by changes of rows, in the transaction that made them.

    After a correction, its photo must be resolved; after a file was restored, its folder must be paired. A decision
    about pairs regroups the photos immediately, and what a person said of photos that nothing else follows from is resolved
    immediately. What was counted of people is forgotten, and what is searched of words is rewritten.
    """
    people = StalePeople()
    words = StaleWords()
    corrected: set[int] = set()
    said: set[int] = set()
    decided: set[int] = set()
    folders: set[int] = set()
    restored: set[int] = set()
    holders: set[int] = set()
    for change in changes:
        people.add(change)
        words.add(change)
        if change.table_name == "correction":
            (said if change.key["fact"] in SAID else corrected).add(_number(change.key["asset_id"]))
        elif change.table_name == "pair_decision":
            decided.update(_number(value) for value in change.key.values())
        elif change.table_name == "file" and change.after is not None:
            folders.add(_number(change.after["folder_id"]))
            if change.after["asset_id"] is not None:
                holders.add(_number(change.after["asset_id"]))
        elif change.table_name == "asset" and change.before is None:
            restored.add(_number(change.key["id"]))
    refresh_said(connection, photos_of_contents(connection, said))
    # A photo that was restored as a whole is unchanged; one that still existed has gained or lost a file.
    for some in chunks(sorted(corrected | (holders - restored)), _CHUNK):
        stale.resolve_photos_of_assets_later(connection, some)
    if decided:
        regroup(connection, decided)
        stale.mark_folders_of_assets_unrelated(connection, decided)
    stale.mark_unrelated(connection, folders)
    people.mark(connection)
    words.refresh(connection)


def _number(value: object) -> int:
    if not isinstance(value, int):
        message = f"expected a row id, not {value!r}"
        raise TypeError(message)
    return value
