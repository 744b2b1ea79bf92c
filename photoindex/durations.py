"""Lengths of time: as a person writes them (90s, 30min, 1h30m, 2w, 6mo, 1y), as they are said, and as they pass."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Final

DAY_SECONDS: Final = 86_400.0

UNIT_SECONDS: Final = {
    "y": 365 * DAY_SECONDS,
    "mo": 30 * DAY_SECONDS,
    "w": 7 * DAY_SECONDS,
    "d": DAY_SECONDS,
    "h": 3600.0,
    "min": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
"""Every unit, the longest first; a month and a year are as long as this only where they are not counted by the calendar."""

_OTHER_SPELLINGS = {"m": "min", "sec": "s"}
_CALENDAR_UNITS = ("y", "mo")
_LONGEST_RUN_SECONDS = 36_525 * DAY_SECONDS
_PART = re.compile(r"\s*([0-9]{1,9})(?:\.([0-9]{1,6}))?\s*([a-z]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class DurationPart:
    """One number and its unit, a key of UNIT_SECONDS; `decimals` is how many digits were written behind the point."""

    number: float
    decimals: int
    unit: str

    @property
    def seconds(self) -> float:
        """Return the length in seconds."""
        return self.number * UNIT_SECONDS[self.unit]


def split(text: str, *, calendar: bool = False) -> list[DurationPart]:
    """Return the parts of a length of time, the longest unit first: 1h30m has two.

    calendar: months (mo) and years (y) are allowed, and a bare `m`, which could mean months, is refused. Elsewhere `m` is
    minutes, and months and years are refused. Raises ValueError with a sentence for the user.
    """
    parts: list[DurationPart] = []
    at, cleaned = 0, text.strip().lower()
    while at < len(cleaned):
        found = _PART.match(cleaned, at)
        if found is None:
            raise _unreadable(text, calendar=calendar)
        whole, fraction, written = found[1], found[2] or "", found[3]
        if calendar and written == "m":
            number = f"{whole}.{fraction}" if fraction else whole
            raise ValueError(f"'{text}': m can mean months or minutes; write {number}mo or {number}min")
        unit = _OTHER_SPELLINGS.get(written, written)
        if unit in _CALENDAR_UNITS and not calendar:
            raise ValueError(f"'{text}': months and years vary in length; use w, d, h, min or s")
        if unit not in UNIT_SECONDS or (parts and UNIT_SECONDS[unit] >= UNIT_SECONDS[parts[-1].unit]):
            raise _unreadable(text, calendar=calendar)
        parts.append(DurationPart(float(f"{whole}.{fraction or 0}"), len(fraction), unit))
        at = found.end()
    if not parts:
        raise _unreadable(text, calendar=calendar)
    return parts


def running_seconds(text: str) -> float:
    """Return a time to run or to wait (90s, 30min, 30m, 2h, 1h30m, 2d) in seconds, more than zero.

    Raises ValueError with a sentence for the user.
    """
    seconds = sum(part.seconds for part in split(text))
    if not 0 < seconds <= _LONGEST_RUN_SECONDS:
        raise ValueError(f"'{text}' is too short or too long; it must be more than zero and at most 100 years")
    return seconds


def age_seconds(text: str) -> float:
    """Return an age (12h, 30d, 6w, 6mo, 1y; a month is 30 days, a year 365) in seconds.

    Raises ValueError with a sentence for the user, also for a bare `m`.
    """
    return sum(part.seconds for part in split(text, calendar=True))


def seconds_since_boot() -> float:
    """Return seconds that pass while the computer sleeps, too (on Linux), and never go back: for times by which work must end."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def spoken(seconds: float) -> str:
    """Return a length of time as people say it: `40 s`, `12 min`, `2.5 h`, `3 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h".replace(".0 h", " h")
    return f"{seconds / DAY_SECONDS:.1f} days".replace(".0 days", " days")


def _unreadable(text: str, *, calendar: bool) -> ValueError:
    units, example = ("y, mo, w, d, h, min or s", "6mo, 30d") if calendar else ("w, d, h, min or s", "30min, 1h30m, 2d")
    return ValueError(f"'{text}' is not a length of time; write numbers with {units}, the longest first: {example}")
