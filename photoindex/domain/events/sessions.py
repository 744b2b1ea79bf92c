"""Cut the photos of a library into outings: what was photographed in one go, by the gaps in time and the jumps in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Fractions = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY_SECONDS = 86_400
JUMP_KM = 50.0
JUMP_SECONDS = 3_600
"""Two neighbours further apart than both, in place and in time, belong to two outings."""

_EARTH_RADIUS_KM = 6371.0088
_POSITION_BATCH = 262_144
"""Positions whose distances are computed at a time, so that a million take a few MB."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When and where photos were taken, one element a photo in every array, in any order.

    ids: their numbers. seconds: local wall time as if it were UTC, seconds since 1970 (negative before). day_only: nothing
    but the day is known, and `seconds` is its midnight. latitude, longitude: degrees, WGS 84, NaN where unknown.
    place_ids: numbers of places, -1 where unknown.
    """

    ids: Numbers
    seconds: Numbers
    day_only: Flags
    latitude: Fractions
    longitude: Fractions
    place_ids: Numbers

    def chosen(self, which: Flags | Numbers) -> Moments:
        """Return the photos that `which` (a mask or positions) names, in its order."""
        return Moments(
            self.ids[which],
            self.seconds[which],
            self.day_only[which],
            self.latitude[which],
            self.longitude[which],
            self.place_ids[which],
        )


@dataclass(frozen=True, slots=True)
class Outings:
    """All outings in order of time; `moments` are their photos, outing by outing, each sorted by time.

    starts: where each outing's photos begin in `moments`. first, last: the wall time, as in `Moments.seconds`, from and to
    which an outing goes, both included; no two overlap, and no photo of another outing was taken between them.
    """

    moments: Moments
    starts: Numbers
    first: Numbers
    last: Numbers

    def __len__(self) -> int:
        return len(self.starts)

    def photos(self, outing: int) -> slice:
        """Return where the photos of one outing stand in `moments`."""
        following = outing + 1
        end = int(self.starts[following]) if following < len(self.starts) else len(self.moments.ids)
        return slice(int(self.starts[outing]), end)


def outings(moments: Moments, gap_seconds: int) -> Outings:
    """Cut photos into outings; the order in which they are given does not matter.

    Neighbours in wall time belong to two outings where the time between them is longer than `gap_seconds`, or where they
    are more than `JUMP_KM` apart and there is a pause of more than `JUMP_SECONDS` between them: the cut is at the longest
    pause, for photos without a position may lie between. A photo of which only the day is known belongs to the first
    outing of its day, which then begins at midnight, or to the one that goes on over that midnight; without any, such
    photos are an outing of the whole day. A longer gap never gives more outings. O(n log n).
    """
    moments = moments.chosen(np.lexsort((moments.ids, ~moments.day_only, moments.seconds)))
    numbers = _numbers(moments, gap_seconds)
    # A day's photos without a time stand before those with one, but may belong to an outing that began the day before.
    order = np.argsort(numbers, kind="stable")
    moments, numbers = moments.chosen(order), numbers[order]
    starts = _run_starts(numbers)
    if not len(starts):
        return Outings(moments, starts, starts, starts)
    first = np.minimum.reduceat(moments.seconds, starts)
    last = np.maximum.reduceat(moments.seconds, starts)
    whole_day = np.logical_and.reduceat(moments.day_only, starts)
    return Outings(moments, starts, first, np.where(whole_day, first + DAY_SECONDS - 1, last))


def distances_km(latitude: Fractions, longitude: Fractions, latitude_2: Fractions, longitude_2: Fractions) -> Fractions:
    """Return the great-circle distances between pairs of positions in degrees; NaN where one is unknown (haversine)."""
    found = np.empty(len(latitude))
    for start in range(0, len(latitude), _POSITION_BATCH):
        part = slice(start, start + _POSITION_BATCH)
        phi, phi_2 = np.radians(latitude[part]), np.radians(latitude_2[part])
        half_across = np.radians(longitude_2[part] - longitude[part]) / 2
        root = np.sin((phi_2 - phi) / 2) ** 2 + np.cos(phi) * np.cos(phi_2) * np.sin(half_across) ** 2
        found[part] = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(root, 0.0, 1.0)))
    return found


def _run_starts(values: Numbers) -> Numbers:
    """Return where each run of equal values begins."""
    if not len(values):
        return np.empty(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1)).astype(np.int64)


def _numbers(moments: Moments, gap_seconds: int) -> Numbers:
    """Return the number of each photo's outing, ascending in time; `moments` are sorted by time."""
    timed = ~moments.day_only
    of_timed, first, last = _cut_timed(moments.chosen(timed), gap_seconds)
    midnights, day_of_photo = np.unique(moments.seconds[moments.day_only], return_inverse=True)
    before = np.searchsorted(first, midnights, side="right") - 1
    goes_over = (before >= 0) & (last[before] >= midnights) if len(last) else np.zeros(len(midnights), dtype=bool)
    after = np.searchsorted(first, midnights, side="left")
    begins = np.zeros(len(midnights), dtype=bool)
    there = after < len(first)
    begins[there] = first[after[there]] < midnights[there] + DAY_SECONDS
    alone = ~(goes_over | begins)
    of_day = np.where(goes_over, before, after)
    of_day[alone] = len(first) + np.arange(np.count_nonzero(alone))
    # Number the outings of whole days among the others by when they begin.
    rank = np.empty(len(first) + np.count_nonzero(alone), dtype=np.int64)
    rank[np.argsort(np.concatenate((first, midnights[alone])), kind="stable")] = np.arange(len(rank))
    numbers = np.empty(len(moments.ids), dtype=np.int64)
    numbers[timed] = rank[of_timed]
    numbers[moments.day_only] = rank[of_day[day_of_photo]]
    return numbers


def _cut_timed(moments: Moments, gap_seconds: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return the outing of each photo, and each outing's first and last second; `moments` are sorted by time."""
    seconds = moments.seconds
    if not len(seconds):
        return seconds, seconds, seconds
    pauses = np.diff(seconds)
    cut = pauses > gap_seconds
    positioned = np.flatnonzero(~np.isnan(moments.latitude) & ~np.isnan(moments.longitude))
    places = moments.chosen(positioned)
    apart = distances_km(places.latitude[:-1], places.longitude[:-1], places.latitude[1:], places.longitude[1:])
    far = (apart > JUMP_KM) & (np.diff(places.seconds) > JUMP_SECONDS)
    for start, end in zip(positioned[:-1][far].tolist(), positioned[1:][far].tolist(), strict=True):
        longest = start + int(np.argmax(pauses[start:end]))
        cut[longest] |= pauses[longest] > JUMP_SECONDS
    starts = np.concatenate(([0], np.flatnonzero(cut) + 1))
    numbers = np.concatenate(([0], np.cumsum(cut)))
    return numbers, seconds[starts], seconds[np.append(starts[1:], len(seconds)) - 1]
