"""What a photo's neighbours know of its time: the same camera's photos before and after it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photoindex.domain.time.wall import Wall, offset_text, parse_wall

NEAR_SECONDS = 12 * 3600
"""One photo alone lends its offset no further than this: half a day holds few flights."""
AGREEING_SECONDS = 7 * 86400
"""Two photos that agree lend theirs to what lies between, each no further than this."""
NEAR_NUMBERS = 20
"""How far apart two running numbers may be for one photo to date the other."""
SPAN_SECONDS = 86400
"""How far apart the times of the photos before and after may be for what lies between to be dated."""
_TRUSTED = 0.6  # what a file or its name says of itself, to the second
_UNDATED = 0.24  # the modification time, and a date that neighbours gave

# Phones and newer cameras count past DCF's four digits; DCF 2.0 itself has four characters before them, often digits too.
_NUMBERED = re.compile(rb"(.*?[^0-9])(\d{3,6})", re.DOTALL)
_DCF = re.compile(rb"([A-Z_]\w{3})(\d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Timed:
    """One photo's time as it is known without its neighbours; what they gave must not come back as evidence.

    taken_at: ISO 8601 wall time without offset, in UTC where no offset is known but the instant is; "" where nothing is
    known. utc_offset_minutes: None where unknown or given by neighbours. taken_at_utc: seconds since 1970, None where the
    instant is unknown or known only by an offset of neighbours. sequence: the running number in the file's name, of those
    whose names begin alike (`series`).
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
    """Trusted moments on one time line, sorted; an offset is None where two photos of one moment disagree."""

    moments: list[float]
    offsets: list[int | None]

    def at(self, moment: float) -> int | None:
        """Return the offset that the photos before and after a moment lend it."""
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
    """Return what a file's name begins with and the running number of the camera in it, None where it has none.

    `IMG_1234.JPG` and `IMG_1234.CR2` are (`img_`, 1234). Numbers of more than six digits are dates and the like.
    """
    stem = name.rpartition(b".")[0] or name
    match = _NUMBERED.fullmatch(stem) or _DCF.fullmatch(stem)
    return None if match is None else (match[1].decode("utf-8", "replace").casefold(), int(match[2]))


def neighbour_facts(of_one_camera: Sequence[Timed]) -> dict[int, dict[str, str]]:
    """Return `{"utc_offset": "+02:00"}` for the photos of one camera whose offset its other photos tell.

    An offset is lent by the nearest photo before and the nearest after, of those that know their own: by those within 12
    hours if they agree, else by both within a week if they agree. Where they differ someone travelled, and nothing is said.
    Runs in O(n log n); the order of the input does not matter.
    """
    on_walls: defaultdict[float, set[int]] = defaultdict(set)
    on_instants: defaultdict[float, set[int]] = defaultdict(set)
    asking: list[tuple[Timed, float, bool]] = []
    for timed in of_one_camera:
        wall = _exact(timed)
        if wall is None:
            continue
        if timed.utc_offset_minutes is not None:
            if timed.confidence >= _TRUSTED:
                on_walls[wall.seconds].add(timed.utc_offset_minutes)
                on_instants[wall.seconds - timed.utc_offset_minutes * 60].add(timed.utc_offset_minutes)
        elif timed.taken_at_utc is not None:
            asking.append((timed, timed.taken_at_utc, True))
        else:
            asking.append((timed, wall.seconds, False))
    walls, instants = _line(on_walls), _line(on_instants)
    found: dict[int, dict[str, str]] = {}
    for timed, moment, is_instant in asking:
        offset = (instants if is_instant else walls).at(moment)
        if offset is not None:
            found[timed.photo_id] = {"utc_offset": offset_text(offset)}
    return found


def dates_between(of_one_folder: Sequence[Timed]) -> dict[int, dict[str, str]]:
    """Return `{"taken_at": "2019-06-01T12:34"}` for photos without a date of their own, by the camera's running numbers.

    A photo is dated between two that know their time, of the same folder and the same beginning of the name, whose numbers
    are no more than 20 before and after and whose times are in the numbers' order and no more than a day apart. The time
    is that between theirs, in proportion to the numbers, to the minute. The order of the input does not matter.
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
            if timed.confidence < _UNDATED and timed.sequence is not None and timed.sequence not in known:
                moment = _between(timed.sequence, numbers, known)
                if moment is not None:
                    found[timed.photo_id] = {"taken_at": moment}
    return found


def _dated(members: Iterable[Timed]) -> dict[int, Wall]:
    """Return number -> time of those to be trusted; where two photos have one number, the earlier."""
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
