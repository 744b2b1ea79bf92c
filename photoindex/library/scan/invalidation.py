"""Marking what a person's change makes stale, for `refresh` to work out."""

from __future__ import annotations

from sqlalchemy import Connection

from photoindex.pipeline.resolve.relate import regroup
from photoindex.store.journal import journal
from photoindex.store.tasks import stale as work_left

_CHUNK = 1000


def invalidate(connection: Connection, entry_id: int) -> None:
    """Mark what the changes of a journal entry make stale, in the transaction that made them.

    A correction makes its photo due for resolving, a restored file its folder due for pairing; a decision about pairs
    regroups the photos at once.
    """
    corrected: set[int] = set()
    decided: set[int] = set()
    folders: set[int] = set()
    restored: set[int] = set()
    holders: set[int] = set()
    for change in journal.changes_of(connection, entry_id):
        if change.table_name == "correction":
            corrected.add(_number(change.key["asset_id"]))
        elif change.table_name == "pair_decision":
            decided.update(_number(value) for value in change.key.values())
        elif change.table_name == "file" and change.after is not None:
            folders.add(_number(change.after["folder_id"]))
            if change.after["asset_id"] is not None:
                holders.add(_number(change.after["asset_id"]))
        elif change.table_name == "asset" and change.before is None:
            restored.add(_number(change.key["id"]))
    # A photo that was restored whole is unchanged; one that was there all the time has gained or lost a file.
    stale = sorted(corrected | (holders - restored))
    for start in range(0, len(stale), _CHUNK):
        work_left.resolve_photos_of_assets_later(connection, stale[start : start + _CHUNK])
    if decided:
        regroup(connection, decided)
        work_left.mark_folders_of_assets_unrelated(connection, decided)
    work_left.mark_unrelated(connection, folders)


def _number(value: object) -> int:
    if not isinstance(value, int):
        message = f"expected a row id, not {value!r}"
        raise TypeError(message)
    return value
