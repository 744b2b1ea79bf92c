"""Parses and formats times on the command line: a time, a zone, a shift."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from photoindex import durations
from photoindex.domain.time.dates import OLDEST_YEAR, DateError, iso_time
from photoindex.domain.time.wall import Wall, offset_text, parse_offset, parse_wall
from photoindex.domain.time.zones import is_zone, offset_of
from photoindex.errors import UsageError

_LARGEST_OFFSET_MINUTES = 14 * 60
_SPACE_BEFORE_OFFSET = re.compile(r"(?<=\d)\s+(?=(?:[+-]\d\d:?\d\d|Z)\Z)")
_FORM = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


def parse_time(text: str, zone: str | None = None) -> str:
    """Parse a time and return it as a fact: ISO 8601 wall time, with its offset if given.

    text: 2019-06-01T12:00, "2019-06-01 12:00:30+02:00", or a partial date (1974, 1974-06, 1974-06-30), which stays partial.
    zone: an offset such as +02:00, or an IANA name, for its offset at that wall time. Raises UsageError.
    """
    cleaned = _SPACE_BEFORE_OFFSET.sub("", text.strip())
    wall = parse_wall(cleaned)
    # Specific errors only for text in the form of a time; `iso_time` accepts more forms than a user should write.
    if wall is None and not _FORM.fullmatch(cleaned):
        raise UsageError(
            f"'{text}' is not a time; write 2019-06-01T12:34:56, followed by +02:00 if you know the offset, or a partial "
            "date: 1974, 1974-06, 1974-06-30"
        )
    try:
        written = iso_time(cleaned)
    except DateError as error:
        raise UsageError(f"'{text}' is not a possible time of a photo: {error}") from None
    if wall is None or written is None:
        raise UsageError(f"'{text}' is not a possible time of a photo")
    if wall.offset_minutes is not None and abs(wall.offset_minutes) > _LARGEST_OFFSET_MINUTES:
        raise UsageError(f"'{text}': an offset is at most 14 hours")
    if zone is None:
        return written
    if wall.offset_minutes is not None:
        raise UsageError(f"'{text}' already has an offset; do not use --zone as well")
    if wall.precision not in ("second", "minute"):
        raise UsageError("--zone needs a time of day; a date alone has no offset")
    return written + offset_text(parse_zone(zone, wall))


def parse_zone(zone: str, wall: Wall) -> int:
    """Return the offset in minutes of +02:00 or an IANA zone name at a wall time.

    Raises UsageError for anything else, and for a wall time that is ambiguous or skipped in the zone.
    """
    minutes = parse_offset(zone.strip())
    if minutes is not None and abs(minutes) <= _LARGEST_OFFSET_MINUTES:
        return minutes
    if minutes is not None or not is_zone(zone):
        raise UsageError(f"'{zone}' is not a zone; write an offset such as +02:00 or a name such as Europe/Lisbon")
    known = offset_of(zone, wall.clock)
    assert known is not None
    if known.other_minutes is None:
        return known.minutes
    shown, both = wall.text.replace("T", " "), (known.minutes, known.other_minutes)
    offsets = " or ".join(offset_text(one) for one in both)
    if _is_skipped(zone, wall.clock):
        raise UsageError(f"{shown} did not exist in {zone}: the clocks went forward; give the offset: {offsets}")
    raise UsageError(f"{shown} occurred twice in {zone}: the clocks went back; give the offset: {offsets}")


def _is_skipped(zone: str, clock: datetime) -> bool:
    local = clock.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != clock


def read_shift(text: str) -> int:
    """Return a length of time (+1h30m, -2d, 1w, 90s, +00:05:30) in seconds; `m` is minutes. Raises UsageError."""
    cleaned = "".join(text.split())
    sign = cleaned[:1] if cleaned[:1] in ("+", "-") else ""
    length = cleaned.removeprefix(sign)
    if (clock := _CLOCK.fullmatch(length)) is not None:
        seconds = float(int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0))
    else:
        try:
            seconds = round(sum(part.seconds for part in durations.split(length)), 6)  # 1.1 h is 3960 s
        except ValueError as error:
            raise UsageError(f"{error}; a shift is +1h30m, -2d, 90s or +00:05:30") from None
    if not seconds:
        raise UsageError(f"'{text}' shifts nothing")
    if not seconds.is_integer():
        raise UsageError(f"'{text}' is not a whole number of seconds")
    return -int(seconds) if sign == "-" else int(seconds)


def shift_text(seconds: int) -> str:
    """Format a shift, e.g. +1h30m."""
    left, parts = abs(seconds), []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if seconds < 0 else "+") + "".join(parts)


def shifted(taken_at: str, precision: str | None, seconds: int) -> str | None:
    """Return a resolved time (ISO 8601) shifted by `seconds`, with its own offset; None if the year is out of range.

    A time known to the minute stays so if it is shifted by whole minutes.
    """
    wall = parse_wall(taken_at)
    if wall is None:
        return None
    try:
        clock = wall.clock + timedelta(seconds=wall.second + seconds)
    except OverflowError:
        return None
    if not OLDEST_YEAR <= clock.year <= datetime.now(UTC).year + 1:
        return None
    text = clock.isoformat(timespec="minutes" if precision == "minute" and seconds % 60 == 0 else "seconds")
    fraction = f".{wall.fraction}" if wall.fraction else ""
    offset = "" if wall.offset_minutes is None else offset_text(wall.offset_minutes)
    return text + fraction + offset


def partial(taken_at: str | None, precision: str | None) -> str | None:
    """Return the known part of a resolved time: 1974-01-01T00:00:00 of precision `year` becomes 1974."""
    if taken_at is None:
        return None
    length = {"year": 4, "month": 7, "day": 10}.get(precision or "")
    if length is not None:
        return taken_at[:length]
    return taken_at[:16] + taken_at[19:] if precision == "minute" else taken_at


def shown(taken_at: str | None, precision: str | None, source: str | None) -> str:
    """Return a resolved time as people read it: its known part to the minute, with `~` if it is the file's; "" for none."""
    return marked((partial(taken_at, precision) or "").replace("T", " ")[:16], source)


def marked(time: str, source: str | None) -> str:
    """Return the text of a time with `~` in front if it is only the file's modification time."""
    return f"~{time}" if time and source == "mtime" else time
