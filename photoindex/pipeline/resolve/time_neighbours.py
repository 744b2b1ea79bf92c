"""What the photos of a folder tell each other about time; only what changed is resolved again."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Connection

from photoindex.domain.time.neighbours import Timed, dates_between, neighbour_facts, running_number
from photoindex.pipeline.resolve.photo import Resolver
from photoindex.store.photos import times
from photoindex.store.photos.times import TimedRow

_NEIGHBOURS = "neighbours"
_UNTOLD = frozenset({None, "mtime", _NEIGHBOURS})
"""Sources of a time that is no statement about this photo."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


Told = dict[int, dict[str, str] | None]
"""Photo -> the facts that the photos around it give, None for nothing any more."""


def ask_neighbours(connection: Connection, folder_id: int) -> Told:
    """Return the offsets and dates that photos of a folder know of each other, where these are not what is written yet.

    To be called when the photos are resolved.
    """
    rows = times.photos_in_folder(connection, folder_id)
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
    told = {
        row.photo_id: found.get(row.photo_id) for row in rows if (row.neighbours or None) != found.get(row.photo_id)
    }
    # A copy in another folder has other neighbours; those of the longest known file are heard.
    homes = times.first_folders(connection, told)
    return {photo_id: facts for photo_id, facts in told.items() if homes.get(photo_id) == folder_id}


def tell(connection: Connection, told: Told, resolver: Resolver) -> None:
    """Write what neighbours know and resolve these photos again. To be called in a write transaction."""
    times.set_neighbours(connection, told)
    for photo_id in told:
        resolver.refresh(connection, photo_id)


def _has_gaps(rows: list[TimedRow]) -> bool:
    """Tell whether some photos lack what others may know."""
    return any(row.utc_offset_minutes is None or row.taken_at_source in _UNTOLD for row in rows)


def _timed(row: TimedRow, folder_id: int) -> Timed:
    """Return what a photo knows of its time itself: what its neighbours gave is no evidence for them."""
    told = row.taken_at_source not in _UNTOLD
    lent = row.zone_source == _NEIGHBOURS
    instant = row.taken_at_utc if told and row.sources.get("taken_at_utc") != _NEIGHBOURS else None
    taken_at = (row.taken_at or "")[:19] if told else ""
    if lent and instant is not None:
        # A movie that knows UTC alone: its wall time came from the neighbours, too.
        taken_at = (_EPOCH + timedelta(seconds=instant)).isoformat(timespec="seconds")
    series = running_number(row.name)
    return Timed(
        photo_id=row.photo_id,
        taken_at=taken_at,
        utc_offset_minutes=row.utc_offset_minutes if told and not lent else None,
        taken_at_utc=instant,
        precision=(row.taken_at_precision or "") if told else "",
        confidence=(row.taken_at_confidence or 0.0) if told else 0.0,
        sequence=None if series is None else series[1],
        folder_id=folder_id,
        series="" if series is None else series[0],
    )
