"""Infers times and offsets of photos from other photos in the same folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from photoindex.domain.time.neighbours import UNDATED, Timed, dates_between, neighbour_facts, running_number
from photoindex.pipeline.resolve.photo import Resolver
from photoindex.store.photos import times
from photoindex.store.photos.times import TimedRow

_NEIGHBOURS = "neighbours"
_WEAK_SOURCES = frozenset({None, "mtime", _NEIGHBOURS})
"""Sources of a time that are not evidence about the photo itself."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


Inferred = dict[int, dict[str, str] | None]
"""Photo id -> the facts inferred from its neighbours, None if there are none any more."""


def infer_from_neighbours(connection: Connection, folder_ids: Sequence[int]) -> Inferred:
    """Return the offsets and dates that photos of folders get from their neighbours, where these differ from the stored ones.

    Call it after the photos are resolved.
    """
    by_folder = {
        folder_id: _inferred(folder_id, rows)
        for folder_id, rows in times.photos_in_folders(connection, folder_ids).items()
    }
    # A copy in another folder has other neighbours; only the folder of the photo's oldest file counts.
    first_folders = times.first_folders(connection, {photo_id for found in by_folder.values() for photo_id in found})
    return {
        photo_id: facts
        for folder_id, found in by_folder.items()
        for photo_id, facts in found.items()
        if first_folders.get(photo_id) == folder_id
    }


def _inferred(folder_id: int, rows: list[TimedRow]) -> Inferred:
    if all(row.neighbours is None for row in rows) and not _has_gaps(rows):
        return {}
    found: dict[int, dict[str, str]] = {}
    by_camera: defaultdict[tuple[str | None, str | None], list[Timed]] = defaultdict(list)
    everyone = [_timed(row, folder_id) for row in rows]
    for row, each in zip(rows, everyone, strict=True):
        if row.camera_model is not None:
            by_camera[row.camera_make, row.camera_model].append(each)
    for of_one_camera in by_camera.values():
        for photo_id, facts in neighbour_facts(of_one_camera).items():
            found.setdefault(photo_id, {}).update(facts)
    for photo_id, facts in dates_between(everyone).items():
        found.setdefault(photo_id, {}).update(facts)
    return {
        row.photo_id: found.get(row.photo_id) for row in rows if (row.neighbours or None) != found.get(row.photo_id)
    }


def store_inferred(connection: Connection, inferred: Inferred, resolver: Resolver) -> None:
    """Write inferred facts and resolve these photos again. Call it in a write transaction."""
    times.set_neighbours(connection, inferred)
    resolver.refresh(connection, inferred)


def _has_gaps(rows: list[TimedRow]) -> bool:
    """Tell whether some photos lack a time or offset that could be inferred."""
    return any(row.utc_offset_minutes is None or (row.taken_at_confidence or 0.0) < UNDATED for row in rows)


def _timed(row: TimedRow, folder_id: int) -> Timed:
    """Return a photo's own evidence of its time, without what was inferred from its neighbours."""
    own = row.taken_at_source not in _WEAK_SOURCES
    offset_inferred = row.zone_source == _NEIGHBOURS
    instant = row.taken_at_utc if own and row.utc_source != _NEIGHBOURS else None
    taken_at = (row.taken_at or "")[:19] if own else ""
    if offset_inferred and instant is not None:
        # A movie that has UTC only: its wall time was inferred too.
        taken_at = (_EPOCH + timedelta(seconds=instant)).isoformat(timespec="seconds")
    series = running_number(row.name)
    return Timed(
        photo_id=row.photo_id,
        taken_at=taken_at,
        utc_offset_minutes=row.utc_offset_minutes if own and not offset_inferred else None,
        taken_at_utc=instant,
        precision=(row.taken_at_precision or "") if own else "",
        confidence=(row.taken_at_confidence or 0.0) if own else 0.0,
        sequence=None if series is None else series[1],
        folder_id=folder_id,
        series="" if series is None else series[0],
    )
