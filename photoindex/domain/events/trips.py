"""Finding trips: runs of sessions with nights away from where the photographer lived at that time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from photoindex.domain.events.sessions import DAY_SECONDS, Fractions, Moments, Numbers, Sessions, distances_km

AWAY_KM = 50.0
MAX_GAP_SECONDS = 48 * 3_600
MIN_TRIP_SECONDS = 8 * 3_600
"""A party that continues past midnight is not a trip."""
HOME_MONTHS = 6
"""Months before and after a month that are used to find its home; limited because people move."""
HOME_DAYS = 28
"""Minimum time between the first and last photo of a home; a holiday is rarely that long."""

_CELL_DEGREES = 0.2
_COLUMNS_MAX = 2_000
_MONDAY = 3
"""1970-01-01 was a Thursday, three days after a Monday."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Where the photographer lived: months since 1970-01, ascending, and degrees, NaN where no home was found."""

    months: Numbers
    latitude: Fractions
    longitude: Fractions


class Where(IntEnum):
    """Whether a session was at home."""

    UNKNOWN = 0
    HOME = 1
    AWAY = 2


def homes(moments: Moments) -> Homes:
    """Return the home of every month that has photos with a position.

    The home is the cell of about 22 km with photos in the most weeks of the surrounding thirteen months (then the most
    days), among cells whose first and last photo are `HOME_DAYS` or more apart; if there is none, the home of the whole
    library is used. Call it with all photos of a library, even if only some are listed afterwards.
    """
    there = moments.chosen(~np.isnan(moments.latitude) & ~np.isnan(moments.longitude))
    if not len(there.ids):
        return Homes(there.seconds, there.latitude, there.longitude)
    cells, cell_of_photo = np.unique(_cells(there.latitude, there.longitude), return_inverse=True)
    photos = np.bincount(cell_of_photo)
    latitude = np.bincount(cell_of_photo, weights=there.latitude) / photos
    longitude = np.bincount(cell_of_photo, weights=there.longitude) / photos
    days, cell = _distinct_days(there.seconds // DAY_SECONDS, cell_of_photo, len(cells))
    month_of_day = _months(days * DAY_SECONDS)
    months = np.unique(month_of_day)
    of_all_times = _home_cell(days, cell)
    found = np.full(len(months), -1, dtype=np.int64)
    starts = np.searchsorted(month_of_day, months - HOME_MONTHS, side="left")
    ends = np.searchsorted(month_of_day, months + HOME_MONTHS, side="right")
    for index, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        home = _home_cell(days[start:end], cell[start:end])
        found[index] = of_all_times if home < 0 else home
    known = found >= 0
    return Homes(months, np.where(known, latitude[found], np.nan), np.where(known, longitude[found], np.nan))


def trips(found: Sessions, lived: Homes) -> list[range]:
    """Return each trip as a range of sessions, in order of time.

    A trip is a run of sessions away from home (most of their positions more than `AWAY_KM` from it), each less than 48
    hours after the previous one, with none at home in between, on at least two local days and at least `MIN_TRIP_SECONDS`
    long. Sessions without a position are included if they are between two that are away.
    """
    return [run for run in _runs(found, _locations(found, lived)) if _is_trip(found, run)]


def _cells(latitude: Fractions, longitude: Fractions) -> Numbers:
    """Return each position's cell number; cells are roughly square everywhere."""
    row = np.clip(np.floor((latitude + 90.0) / _CELL_DEGREES), 0, 180 / _CELL_DEGREES - 1)
    columns = np.maximum(1.0, np.floor(np.cos(np.radians((row + 0.5) * _CELL_DEGREES - 90.0)) * 360 / _CELL_DEGREES))
    column = np.clip(np.floor((longitude + 180.0) / 360.0 * columns), 0, columns - 1)
    cells: Numbers = (row * _COLUMNS_MAX + column).astype(np.int64)
    return cells


def _distinct_days(days: Numbers, cell_of_photo: Numbers, cells: int) -> tuple[Numbers, Numbers]:
    """Return the distinct pairs of day and cell that have photos, in order of time."""
    distinct = np.unique(days * cells + cell_of_photo)
    return distinct // cells, distinct % cells


def _months(seconds: Numbers) -> Numbers:
    return seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)


def _home_cell(days: Numbers, cell: Numbers) -> int:
    """Return the home cell of these days, -1 for none; `days` are ascending."""
    order = np.argsort(cell, kind="stable")
    days, cell = days[order], cell[order]
    weeks = (days + _MONDAY) // 7
    changes = cell[1:] != cell[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    ends = np.append(starts[1:], len(cell))
    weeks_of_cell = np.add.reduceat(np.concatenate(([True], changes | (weeks[1:] != weeks[:-1]))).astype(int), starts)
    score = weeks_of_cell * (len(days) + 1) + (ends - starts)
    score[days[ends - 1] - days[starts] < HOME_DAYS] = -1
    best = int(np.argmax(score))
    return int(cell[starts[best]]) if score[best] >= 0 else -1


def _locations(found: Sessions, lived: Homes) -> list[Where]:
    moments = found.moments
    if not len(found) or not len(lived.months):
        return [Where.UNKNOWN] * len(found)
    months = _months(moments.seconds)
    index = np.minimum(np.searchsorted(lived.months, months), len(lived.months) - 1)
    known = lived.months[index] == months
    latitude = np.where(known, lived.latitude[index], np.nan)
    longitude = np.where(known, lived.longitude[index], np.nan)
    from_home_km = distances_km(moments.latitude, moments.longitude, latitude, longitude)
    away = np.add.reduceat((from_home_km > AWAY_KM).astype(np.int64), found.starts)
    home = np.add.reduceat((from_home_km <= AWAY_KM).astype(np.int64), found.starts)
    wheres = np.where(away > home, Where.AWAY, np.where(home > 0, Where.HOME, Where.UNKNOWN))
    return [Where(where) for where in wheres.tolist()]


def _runs(found: Sessions, wheres: list[Where]) -> Iterator[range]:
    """Yield the maximal runs of sessions that begin and end away from home, with none at home and no long pause."""
    first, last = found.first.tolist(), found.last.tolist()
    start = end = -1
    for index, where in enumerate(wheres):
        pause = index > 0 and first[index] - last[index - 1] >= MAX_GAP_SECONDS
        if start >= 0 and (pause or where is Where.HOME):
            yield range(start, end + 1)
            start = -1
        if where is Where.AWAY:
            start, end = (index if start < 0 else start), index
    if start >= 0:
        yield range(start, end + 1)


def _is_trip(found: Sessions, run: range) -> bool:
    first, last = int(found.first[run[0]]), int(found.last[run[-1]])
    return first // DAY_SECONDS < last // DAY_SECONDS and last - first >= MIN_TRIP_SECONDS
