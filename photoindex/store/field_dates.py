"""Hold the time that a photo was taken against the end of a date, where no more of it is known than a day, month or year."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator

from sqlalchemy import ColumnElement, case, true

from photoindex.store.schema.tables import photo

Condition = ColumnElement[bool]

_FIRST = "0001-01-01T00:00:00"
_LAST = "9999-12-31T23:59:59"


def ends_by(bound: str) -> list[Condition]:
    """Return the conditions that a photo's period does not go on behind `bound`, for photos that begin before it.

    bound: a date, ISO 8601 from YYYY to seconds; with `~` behind it, its whole period still belongs to what is asked for.
    A time of which a part alone is known is kept as the first moment of its period. So only photos of the very first
    moment of the day, month or year in which the bound lies can go on behind it, and the index on the time stays enough
    for all others. A bound that is a whole year needs no condition.
    """
    text = bound.removesuffix("~")
    if len(text) == len("1974"):
        return []
    end = text + (_LAST[len(text) :] if bound.endswith("~") else _FIRST[len(text) :])
    if bound.endswith("~") and len(text) == len("1974-05"):
        end = f"{text}-{_days(text)}{_LAST[10:]}"
    return [_is_not(first, precision) for first, last, precision in _periods(end) if end < last]


def _periods(moment: str) -> Iterator[tuple[str, str, str]]:
    """Yield the first and last second of the year, month and day that a moment lies in, and what they are."""
    year, month, day = moment[:4], moment[:7], moment[:10]
    yield f"{year}{_FIRST[4:]}", f"{year}{_LAST[4:]}", "year"
    yield f"{month}{_FIRST[7:]}", f"{month}-{_days(month)}{_LAST[10:]}", "month"
    yield f"{day}{_FIRST[10:]}", f"{day}{_LAST[10:]}", "day"


def _days(month: str) -> int:
    return monthrange(int(month[:4]), int(month[5:7]))[1]


def _is_not(first: str, precision: str) -> Condition:
    # CASE, because the precision, which is not in the index, is then looked up for photos of this one moment alone.
    starts = photo.c.taken_at.between(first, first + "~")
    return case((starts, photo.c.taken_at_precision.is_distinct_from(precision)), else_=true())
