"""Splitting photos into sessions at gaps in time and jumps in location."""

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
"""Consecutive photos further apart than both belong to two sessions."""
WHOLE_DAY_GAP_SECONDS = 6 * 3_600
"""From this gap on, photos of one day in one town stay together; a shorter one is there to split a day."""

_EARTH_RADIUS_KM = 6371.0088
_POSITION_BATCH = 262_144
"""Positions per batch of distance computations, so that a million need only a few MB."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When and where photos were taken; arrays with one element per photo, in any order.

    ids: photo ids. seconds: local time as if it were UTC, seconds since 1970 (negative before). day_only: only the day is
    known, and `seconds` is its midnight. latitude, longitude: degrees, WGS 84, NaN if unknown. place_ids: -1 if unknown.
    """

    ids: Numbers
    seconds: Numbers
    day_only: Flags
    latitude: Fractions
    longitude: Fractions
    place_ids: Numbers

    def chosen(self, which: Flags | Numbers) -> Moments:
        """Return the photos selected by `which` (a mask or indices), in its order."""
        return Moments(
            self.ids[which],
            self.seconds[which],
            self.day_only[which],
            self.latitude[which],
            self.longitude[which],
            self.place_ids[which],
        )


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions in order of time; `moments` has their photos, session by session, each sorted by time.

    starts: index in `moments` where each session begins. first, last: start and end of each session, both inclusive, in
    local time as in `Moments.seconds`; sessions never overlap.
    """

    moments: Moments
    starts: Numbers
    first: Numbers
    last: Numbers

    def __len__(self) -> int:
        return len(self.starts)

    def photos(self, session: int) -> slice:
        """Return the range of one session's photos in `moments`."""
        following = session + 1
        end = int(self.starts[following]) if following < len(self.starts) else len(self.moments.ids)
        return slice(int(self.starts[session]), end)


def find_sessions(moments: Moments, gap_seconds: int) -> Sessions:
    """Split photos into sessions; the order of the input does not matter.

    Consecutive photos (by local time) belong to two sessions if the time between them is longer than `gap_seconds`, or if
    they are more than `JUMP_KM` apart with a pause of more than `JUMP_SECONDS` in between; the split is at the longest
    pause, because there may be photos without a position in between. With a gap of `WHOLE_DAY_GAP_SECONDS` or more, what
    begins on one day in one town is one session, unless there is such a jump in between; an evening that continues past
    midnight began on the day before. A photo with only a day belongs to the first session of that day, which then starts
    at midnight, or to a session that continues past that midnight; without any, such photos form a session of the whole
    day. A longer gap never gives more sessions. O(n log n).
    """
    moments = moments.chosen(np.lexsort((moments.ids, ~moments.day_only, moments.seconds)))
    numbers = _numbers(moments, gap_seconds)
    # Photos with only a day sort before the others of that day, but may belong to a session that began the day before.
    order = np.argsort(numbers, kind="stable")
    moments, numbers = moments.chosen(order), numbers[order]
    starts = _run_starts(numbers)
    if not len(starts):
        return Sessions(moments, starts, starts, starts)
    first = np.minimum.reduceat(moments.seconds, starts)
    last = np.maximum.reduceat(moments.seconds, starts)
    whole_day = np.logical_and.reduceat(moments.day_only, starts)
    return Sessions(moments, starts, first, np.where(whole_day, first + DAY_SECONDS - 1, last))


def distances_km(latitude: Fractions, longitude: Fractions, latitude_2: Fractions, longitude_2: Fractions) -> Fractions:
    """Return the great-circle distances between pairs of positions in degrees (haversine); NaN if one is unknown."""
    found = np.empty(len(latitude))
    for start in range(0, len(latitude), _POSITION_BATCH):
        part = slice(start, start + _POSITION_BATCH)
        phi, phi_2 = np.radians(latitude[part]), np.radians(latitude_2[part])
        half_across = np.radians(longitude_2[part] - longitude[part]) / 2
        root = np.sin((phi_2 - phi) / 2) ** 2 + np.cos(phi) * np.cos(phi_2) * np.sin(half_across) ** 2
        found[part] = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(root, 0.0, 1.0)))
    return found


def _run_starts(values: Numbers) -> Numbers:
    """Return the start index of each run of equal values."""
    if not len(values):
        return np.empty(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1)).astype(np.int64)


def _numbers(moments: Moments, gap_seconds: int) -> Numbers:
    """Return each photo's session number, ascending in time; `moments` are sorted by time."""
    timed = ~moments.day_only
    of_timed, first, last = _cut_timed(moments.chosen(timed), gap_seconds)
    midnights, day_of_photo = np.unique(moments.seconds[moments.day_only], return_inverse=True)
    before = np.searchsorted(first, midnights, side="right") - 1
    spans_midnight = (before >= 0) & (last[before] >= midnights) if len(last) else np.zeros(len(midnights), dtype=bool)
    after = np.searchsorted(first, midnights, side="left")
    begins = np.zeros(len(midnights), dtype=bool)
    there = after < len(first)
    begins[there] = first[after[there]] < midnights[there] + DAY_SECONDS
    alone = ~(spans_midnight | begins)
    of_day = np.where(spans_midnight, before, after)
    of_day[alone] = len(first) + np.arange(np.count_nonzero(alone))
    # Renumber all sessions, those of whole days included, by their start.
    rank = np.empty(len(first) + np.count_nonzero(alone), dtype=np.int64)
    rank[np.argsort(np.concatenate((first, midnights[alone])), kind="stable")] = np.arange(len(rank))
    numbers = np.empty(len(moments.ids), dtype=np.int64)
    numbers[timed] = rank[of_timed]
    numbers[moments.day_only] = rank[of_day[day_of_photo]]
    return numbers


def _cut_timed(moments: Moments, gap_seconds: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return each photo's session number, and each session's first and last second; `moments` are sorted by time."""
    seconds = moments.seconds
    if not len(seconds):
        return seconds, seconds, seconds
    pauses = np.diff(seconds)
    jumped = _jumps(moments, pauses)
    cut = pauses > gap_seconds
    if gap_seconds >= WHOLE_DAY_GAP_SECONDS:
        cut &= ~_within_day_and_town(moments, pauses, jumped)
    cut |= jumped
    starts = np.concatenate(([0], np.flatnonzero(cut) + 1))
    numbers = np.concatenate(([0], np.cumsum(cut)))
    return numbers, seconds[starts], seconds[np.append(starts[1:], len(seconds)) - 1]


def _jumps(moments: Moments, pauses: Numbers) -> Flags:
    """Return for each pause whether a jump in location splits it."""
    jumped = np.zeros(len(pauses), dtype=np.bool_)
    positioned = np.flatnonzero(~np.isnan(moments.latitude) & ~np.isnan(moments.longitude))
    places = moments.chosen(positioned)
    apart = distances_km(places.latitude[:-1], places.longitude[:-1], places.latitude[1:], places.longitude[1:])
    far = (apart > JUMP_KM) & (np.diff(places.seconds) > JUMP_SECONDS)
    for start, end in zip(positioned[:-1][far].tolist(), positioned[1:][far].tolist(), strict=True):
        longest = start + int(np.argmax(pauses[start:end]))
        jumped[longest] |= pauses[longest] > JUMP_SECONDS
    return jumped


def _within_day_and_town(moments: Moments, pauses: Numbers, jumped: Flags) -> Flags:
    """Return for each pause whether what is before and after it began on one day in one town, without a jump in between.

    It does not depend on the gap of the query, so that a longer gap never gives more sessions.
    """
    found = np.zeros(len(pauses), dtype=np.bool_)
    breaks = np.flatnonzero(jumped | (pauses > WHOLE_DAY_GAP_SECONDS))
    starts = np.concatenate(([0], breaks + 1))
    ends = np.append(breaks + 1, len(moments.ids))
    days = moments.seconds[starts] // DAY_SECONDS
    follows = (days[1:] == days[:-1]) & ~jumped[breaks]
    for last in np.flatnonzero(follows).tolist():
        towns = set(moments.place_ids[starts[last + 1] : ends[last + 1]].tolist()) - {-1}
        first = last
        while first >= 0 and follows[first]:  # at most three times: a day has no more such pauses
            if not towns.isdisjoint(moments.place_ids[starts[first] : ends[first]].tolist()):
                found[breaks[first : last + 1]] = True
            first -= 1
    return found
