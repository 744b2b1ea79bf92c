"""Ages and lives of people, whose dates may be partial: YYYY, YYYY-MM or YYYY-MM-DD."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Day = np.datetime64
"""A day: datetime64[D]."""


def first_day(date: str) -> Day:
    """Return the first day that a partial date may mean. Raises ValueError for other text."""
    return _parsed(date)


def last_day(date: str) -> Day:
    """Return the last day that a partial date may mean. Raises ValueError for other text."""
    return _parsed(date, 1) - np.timedelta64(1, "D")


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


def _parsed(date: str, later: int = 0) -> Day:
    """Return the first day of a partial date, or of the next day, month or year."""
    if len(date) not in (4, 7, 10):
        raise ValueError(f"'{date}' is not a date like 2015, 2015-03 or 2015-03-24")
    day: Day = (np.datetime64(date) + later).astype("datetime64[D]")
    return day
