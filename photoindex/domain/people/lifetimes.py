"""Birth and death dates of people, which may be known to the year, month or day only: YYYY, YYYY-MM or YYYY-MM-DD."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
from numpy.typing import NDArray

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
_KNOWN_CHARACTERS = {"year": 4, "month": 7}
_DAY_CHARACTERS = 10
_TIME_OF_COPY = "mtime"


def checked_date(written: str, today: date) -> str:
    """Return a date as YYYY, YYYY-MM or YYYY-MM-DD. Raises ValueError, which says what is wrong with it."""
    match = _DATE.fullmatch(written.strip())
    if match is None:
        raise ValueError(f"'{written}' is no date: write 1974, 1974-06 or 1974-06-30")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError(f"'{written}' is no date: {error}") from error
    if is_before(today.isoformat(), match[0]):
        raise ValueError(f"{match[0]} is in the future")
    return match[0]


def is_before(one: str, other: str) -> bool:
    """Tell whether a date is surely before another; each may be known to the year or month only."""
    known = min(len(one), len(other))
    return one[:known] < other[:known]


def first_day(partial: str) -> np.datetime64:
    """Return the first day that a checked date may mean: datetime64[D]."""
    day: np.datetime64 = np.datetime64(partial).astype("datetime64[D]")
    return day


def last_day(partial: str) -> np.datetime64:
    """Return the last day that a checked date may mean: datetime64[D]."""
    following: np.datetime64 = (np.datetime64(partial) + 1).astype("datetime64[D]")
    return following - np.timedelta64(1, "D")


def outside_life(taken: NDArray[np.datetime64], born: str | None, died: str | None) -> NDArray[np.bool_]:
    """Return which faces were certainly taken before a birth or after a death, bool [n].

    taken: datetime64[D] [n], NaT where unknown.
    """
    outside = np.zeros(len(taken), np.bool_)
    if born is not None:
        outside |= taken < first_day(born)
    if died is not None:
        outside |= taken > last_day(died)
    return outside


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
