"""Inferring a photo's offset or date from the photos that the same camera took before and after it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photoindex.domain.time.wall import Wall, offset_text, parse_wall

NEAR_SECONDS = 12 * 3600
"""Maximum distance for a single photo to give its offset: within half a day, flights are rare."""
AGREEING_SECONDS = 7 * 86400
"""Maximum distance for two photos with the same offset to give it to a photo between them."""
NEAR_NUMBERS = 20
"""Maximum difference of two running numbers for one photo to date the other."""
SPAN_SECONDS = 86400
"""Maximum time between the photos before and after for the ones in between to be dated."""
_TRUSTED = 0.6  # minimum confidence of a time from the file or its name
UNDATED = 0.24
"""Above the confidence of the modification time, of clocks that were never set and of dates from neighbours."""

# Phones and newer cameras use more than DCF's four digits; in DCF 2.0 they follow four characters, often digits too.
_NUMBERED = re.compile(rb"(.*?[^0-9])(\d{3,6})", re.DOTALL)
_DCF = re.compile(rb"([A-Z_]\w{3})(\d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Timed:
    """A photo's time without anything inferred from neighbours, which must not be used as evidence again.

    taken_at: ISO 8601 local time without offset, or UTC if only the instant is known; "" if nothing is known.
    utc_offset_minutes: None if unknown or inferred from neighbours. taken_at_utc: seconds since 1970, None if unknown or
    known only through an offset from neighbours. sequence: the running number in the file name, within the names that
    start with `series`.
    """

    photo_id: int
    taken_at: str
    utc_offset_minutes: int | None
    taken_at_utc: float | None
    precision: str
    confidence: float
    sequence: int | None
    folder_id: int
    series: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """Sorted times with their offsets; an offset is None if two photos of the same time disagree."""

    moments: list[float]
    offsets: list[int | None]

    def at(self, moment: float) -> int | None:
        """Return the offset inferred from the photos before and after a moment."""
        after = bisect_left(self.moments, moment)
        if after < len(self.moments) and self.moments[after] == moment:
            return self.offsets[after]
        sides = [
            (abs(self.moments[index] - moment), self.offsets[index])
            for index in (after - 1, after)
            if 0 <= index < len(self.moments)
        ]
        near = [offset for distance, offset in sides if distance <= NEAR_SECONDS]
        if not near and len(sides) == 2 and all(distance <= AGREEING_SECONDS for distance, _ in sides):
            near = [offset for _, offset in sides]
        return near[0] if near and all(offset == near[0] for offset in near) else None


def running_number(name: bytes) -> tuple[str, int] | None:
    """Return the prefix and the camera's running number in a file name, None if it has none.

    `IMG_1234.JPG` and `IMG_1234.CR2` give (`img_`, 1234). Longer numbers, such as dates, do not count.
    """
    stem = name.rpartition(b".")[0] or name
    match = _NUMBERED.fullmatch(stem) or _DCF.fullmatch(stem)
    return None if match is None else (match[1].decode("utf-8", "replace").casefold(), int(match[2]))


def neighbour_facts(of_one_camera: Sequence[Timed]) -> dict[int, dict[str, str]]:
    """Return `{"utc_offset": "+02:00"}` for the photos of one camera whose offset follows from its other photos.

    The offset comes from the nearest photos before and after that have one: from those within 12 hours if they agree, or
    else from both within a week if they agree. If they differ, the photographer travelled and nothing is inferred.
    Runs in O(n log n); the order of the input does not matter.
    """
    on_walls: defaultdict[float, set[int]] = defaultdict(set)
    on_instants: defaultdict[float, set[int]] = defaultdict(set)
    without_offset: list[tuple[Timed, float, bool]] = []
    for timed in of_one_camera:
        wall = _exact(timed)
        if wall is None:
            continue
        if timed.utc_offset_minutes is not None:
            if timed.confidence >= _TRUSTED:
                on_walls[wall.seconds].add(timed.utc_offset_minutes)
                on_instants[wall.seconds - timed.utc_offset_minutes * 60].add(timed.utc_offset_minutes)
        elif timed.taken_at_utc is not None:
            without_offset.append((timed, timed.taken_at_utc, True))
        else:
            without_offset.append((timed, wall.seconds, False))
    walls, instants = _line(on_walls), _line(on_instants)
    found: dict[int, dict[str, str]] = {}
    for timed, moment, is_instant in without_offset:
        offset = (instants if is_instant else walls).at(moment)
        if offset is not None:
            found[timed.photo_id] = {"utc_offset": offset_text(offset)}
    return found


def dates_between(of_one_folder: Sequence[Timed]) -> dict[int, dict[str, str]]:
    """Return `{"taken_at": "2019-06-01T12:34"}` for undated photos, interpolated by the camera's running numbers.

    A photo is dated by two photos of the same folder and name prefix with known times, whose numbers are at most 20 before
    and after and whose times are in the same order and at most a day apart. The time is interpolated linearly by number, to
    the minute. The order of the input does not matter.
    """
    series: defaultdict[tuple[int, str], list[Timed]] = defaultdict(list)
    for timed in of_one_folder:
        if timed.sequence is not None:
            series[timed.folder_id, timed.series].append(timed)
    found: dict[int, dict[str, str]] = {}
    for members in series.values():
        known = _dated(members)
        numbers = sorted(known)
        for timed in members:
            if timed.confidence < UNDATED and timed.sequence is not None and timed.sequence not in known:
                moment = _between(timed.sequence, numbers, known)
                if moment is not None:
                    found[timed.photo_id] = {"taken_at": moment}
    return found


def _dated(members: Iterable[Timed]) -> dict[int, Wall]:
    """Return running number -> time of the trusted photos; of two photos with one number, the earlier."""
    known: dict[int, Wall] = {}
    for timed in members:
        wall = _exact(timed) if timed.confidence >= _TRUSTED else None
        is_utc = timed.utc_offset_minutes is None and timed.taken_at_utc is not None
        if wall is None or timed.sequence is None or is_utc:
            continue
        other = known.get(timed.sequence)
        if other is None or wall.seconds < other.seconds:
            known[timed.sequence] = wall
    return known


def _between(number: int, numbers: Sequence[int], known: dict[int, Wall]) -> str | None:
    after = bisect_left(numbers, number)
    if not 0 < after < len(numbers):
        return None
    low, high = numbers[after - 1], numbers[after]
    first, last = known[low], known[high]
    span = last.seconds - first.seconds
    if number - low > NEAR_NUMBERS or high - number > NEAR_NUMBERS or not 0 <= span <= SPAN_SECONDS:
        return None
    passed = (first.second + span * (number - low) // (high - low)) // 60
    moved = first.moved(passed)
    return None if moved is None else moved.minute


def _line(offsets: dict[float, set[int]]) -> _Line:
    moments = sorted(offsets)
    return _Line(moments, [next(iter(offsets[at])) if len(offsets[at]) == 1 else None for at in moments])


def _exact(timed: Timed) -> Wall | None:
    wall = parse_wall(timed.taken_at)
    return wall if wall is not None and wall.precision == "second" and timed.precision in ("second", "minute") else None
