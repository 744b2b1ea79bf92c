"""Parsing one ISO 8601 local (wall) time: its fields, precision and UTC offset."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

PRECISIONS = ("year", "month", "day", "minute", "second")
"""Precisions of a time, coarsest first; a photo's time has at least a year."""

_ZERO_DAYS = frozenset({"1904-01-01", "1969-12-31", "1970-01-01", "1978-01-01", "1980-01-01", "1980-01-06"})
"""The first days of QuickTime's, Unix's (also west of Greenwich), an early maker's, DOS's and the GPS clock."""
_ZERO_TIMES = frozenset({"2002-12-08T12:00:00"})
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_EPOCH_DAY = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001  # a day on the calendar, without a zone
_LONGEST_OFFSET_MINUTES = 16 * 60  # Manila's local mean time, until 1844, was 15 h 56 min behind


@dataclass(frozen=True, slots=True)
class Wall:
    """A local (wall) time of the proleptic Gregorian calendar, years 1 to 9999.

    minute: `2019-06-01T12:34`, the first possible one if less is known. second: 0 to 60, with 60 a leap second (ISO 8601).
    fraction: digits after the decimal point, at most nine. offset_minutes: east of UTC, None if not given.
    """

    minute: str
    second: int
    fraction: str
    precision: str
    offset_minutes: int | None

    @property
    def text(self) -> str:
        """The time in ISO 8601 without its offset, always with seconds."""
        return f"{self.minute}:{self.second:02}" + (f".{self.fraction}" if self.fraction else "")

    @property
    def clock(self) -> datetime:
        """The minute as a naive datetime."""
        return datetime.fromisoformat(self.minute)

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970-01-01T00:00:00 local time; a leap second counts as the one after it (POSIX)."""
        clock = self.clock
        return (clock.toordinal() - _EPOCH_DAY) * 86400 + clock.hour * 3600 + clock.minute * 60 + self.second

    def instant(self, offset_minutes: int) -> float:
        """Return the instant of this local time at an offset, in seconds since 1970-01-01T00:00:00Z."""
        whole = self.seconds - offset_minutes * 60
        return whole + float(f"0.{self.fraction}") if self.fraction else float(whole)

    def moved(self, minutes: int) -> Wall | None:
        """Return the time `minutes` later without an offset, None outside the years 1 to 9999."""
        try:
            clock = self.clock + timedelta(minutes=minutes)
        except OverflowError:
            return None
        return replace(self, minute=clock.isoformat(timespec="minutes"), offset_minutes=None)


def parse_wall(value: object) -> Wall | None:
    """Parse an ISO 8601 time or partial date; None if the value is anything else or an impossible date."""
    match = _ISO.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    seconds = int(second or 0)
    if seconds > 60:
        return None
    text = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    known = sum(part is not None for part in (year, month, day, minute, second))
    return Wall(text, seconds, fraction or "", PRECISIONS[known - 1], parse_offset(zone))


def is_clock_zero(wall: Wall, *, with_new_year: bool = True) -> bool:
    """Tell whether a time is where clocks start that were never set, so that it says little about the photo.

    That is any time on the first day of an operating system's or format's clock, but for noon, which people choose for a
    scan of which they know the day; midnight on a New Year's Day since there are digital cameras, to which makers set their
    clocks; and a time that Android wrote into every photo. A day alone comes from a person, and a clock that knows its zone or
    fractions of a second was set. with_new_year: false for what a person may have typed, as programs write a year as its
    first midnight.
    """
    if wall.precision not in ("minute", "second"):
        return False
    day, clock = wall.minute[:10], wall.text[11:19]
    if day in _ZERO_DAYS:
        return clock != "12:00:00"
    was_set = wall.offset_minutes is not None or wall.fraction.strip("0") != ""
    is_new_year = day[4:] == "-01-01" and day >= "1998" and clock == "00:00:00"
    return wall.text[:19] in _ZERO_TIMES or (with_new_year and is_new_year and not was_set)


def is_clock_start(wall: Wall) -> bool:
    """Tell whether a time is the very one at which an unset clock starts, which says nothing even beside another such time."""
    return is_clock_zero(wall) and (wall.text[11:19] == "00:00:00" or wall.text[:19] in _ZERO_TIMES)


def parse_offset(value: object) -> int | None:
    """Return `+02:00`, `+0200` or `Z` in minutes east of UTC, None for anything else."""
    if value == "Z":
        return 0
    match = _OFFSET.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if int(match[3]) > 59 or minutes > _LONGEST_OFFSET_MINUTES:
        return None
    return -minutes if match[1] == "-" else minutes


def offset_text(minutes: int) -> str:
    """Return minutes east of UTC as `+02:00`."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
