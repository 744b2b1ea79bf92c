"""Birth and death dates of people, which may be known to the year, month or day only."""

from __future__ import annotations

import re
from datetime import date

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
_KNOWN_CHARACTERS = {"year": 4, "month": 7}
_DAY_CHARACTERS = 10
_TIME_OF_COPY = "mtime"


def checked_date(written: str) -> str:
    """Return a date as YYYY, YYYY-MM or YYYY-MM-DD. Raises ValueError, which says what is wrong with it."""
    match = _DATE.fullmatch(written.strip())
    if match is None:
        raise ValueError(f"'{written}' is no date: write 1974, 1974-06 or 1974-06-30")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError(f"'{written}' is no date: {error}") from error
    return match[0]


def is_before(one: str, other: str) -> bool:
    """Tell whether a date is surely before another; each may be known to the year or month only."""
    known = min(len(one), len(other))
    return one[:known] < other[:known]


def taken_on(taken_at: str | None, precision: str | None, source: str | None) -> str | None:
    """Return the date on which a photo was taken, as far as it is known.

    None without a time, and for one that is only that of a file: copies get new ones.
    """
    if taken_at is None or source == _TIME_OF_COPY:
        return None
    return taken_at[: _KNOWN_CHARACTERS.get(precision or "", _DAY_CHARACTERS)]


def impossible_on(day: str | None, *, born: str | None, died: str | None) -> str | None:
    """Return why somebody cannot be in a photo taken on this date, None if they can."""
    if day is not None and born is not None and is_before(day, born):
        return f"it was taken before the birth ({day}, born {born})"
    if day is not None and died is not None and is_before(died, day):
        return f"it was taken after the death ({day}, died {died})"
    return None
