"""Parse the times in a query: dates, `last-30d`, times of day, durations, exposure times."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from photoindex import durations
from photoindex.query.syntax import Lookups
from photoindex.query.values import Span
from photoindex.text import fold

if TYPE_CHECKING:  # the words for dates take a tenth of the start of a search that says none
    from photoindex.query.said_dates import Period

_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?)?)?)?"
)
_RELATIVE = re.compile(r"today|yesterday|last-(.+)", re.IGNORECASE)
_SOUTHERN, _WEEK_FROM = " southern", " week-from-"
"""What follows the time in the context of a date."""
_TIME_OF_DAY = re.compile(r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,5}):([0-9]{2})(?:\.([0-9]{1,6}))?")
_BARE_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_MONTHS = {"y": 12, "mo": 1}
_DAYS = {"w": 7, "d": 1}
_FRACTION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/([0-9]{1,6})\s*s?", re.IGNORECASE)
_SECONDS = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,9}))?\s*s?", re.IGNORECASE)

WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST_MOMENT = "0001-01-01T00:00:00"
_LAST_MOMENT = "9999-12-31T23:59:59"
_EXPOSURE_TOLERANCE = 0.005
"""Cameras write 1/60 s as 0.0166 to 0.0167; such a value is neither above nor below 1/60."""


def read_date(value: str, now: str | None = None) -> Span:
    """Parse a year, month, day, hour, minute or second; the span is the whole period, as ISO 8601 text.

    With `now` (the context of `context_of`), also dates as people say them, such as last-summer, 12/2019 and christmas-2018,
    and today, yesterday, last-30d, last-2w, last-6mo and last-1y. Plain equality with last-30d covers everything since that day
    (until the end of tomorrow, because it may be tomorrow already where a photo was taken); a comparison uses only the day.
    Raises ValueError with a message for the user, like the other readers.
    """
    if now is not None and (period := _said(value, now)) is not None:
        low, high = str(period.first), f"{period.last}~"
        return Span(low, high, low, high)
    if (relative := _RELATIVE.fullmatch(value)) and now is not None:
        day = _relative_day(value, relative, _today(now))
        low, high = day.isoformat(), day.isoformat() + "~"
        near = (_today(now) + timedelta(days=1)).isoformat() + "~" if relative[1] else high
        return Span(low, high, low, near)
    match = _DATE.fullmatch(value)
    if not match:
        raise ValueError(
            "a date is needed, such as 2019, 2019-06, 2019-06-15, 2019-06-15T18:30, today, last-30d, last-summer, december-2019 "
            "or christmas"
        )
    _check_calendar(value, {name: int(number) for name, number in match.groupdict().items() if number is not None})
    # taken_at starts with the text of every period that contains it, and '~' sorts after anything that may follow.
    low = value.replace(" ", "T")
    return Span(low, low + "~", low, low + "~")


def read_instant(value: str, now: str | None = None) -> Span:
    """Parse a date like `read_date`, in this computer's time zone; the span is in seconds since 1970 (UTC)."""
    span = read_date(value, now)
    ends = (span.low, span.high, span.near_low, span.near_high)
    first, last, near_first, near_last = (_instant(str(end)) for end in ends)
    return Span(first, last, near_first, near_last)


def context_of(value: str, lookups: Lookups) -> str | None:
    """Return what a date depends on that is relative to today or is said in words, such as last-30d; None for others."""
    if _DATE.fullmatch(value):
        return None
    southern = _SOUTHERN if lookups.southern else ""
    context = f"{lookups.now}{southern}{_WEEK_FROM}{lookups.first_weekday}"
    return context if _RELATIVE.fullmatch(value) or _said(value, context) is not None else None


def each_year(value: str, lookups: Lookups) -> tuple[str, str, str] | None:
    """Return the field and the ends of what date:december, date:christmas or date:sunday mean: days of any year or week."""
    if _DATE.fullmatch(value):
        return None
    from photoindex.query.said_dates import Calendar, EachYear, Weekday, read_said

    said = read_said(_words(value), Calendar(_today(lookups.now), lookups.southern))
    if isinstance(said, Weekday):
        return "weekday", WEEKDAY_NAMES[said.number - 1], WEEKDAY_NAMES[said.number - 1]
    if isinstance(said, EachYear):
        return ("month" if len(said.first) == len("MM") else "day"), said.first, said.last
    return None


def read_month(value: str) -> Span:
    """Parse a month of any year, by number or name; the span is the whole month, as text that MM-DD starts with."""
    from photoindex.query.said_dates import Calendar, EachYear, read_said

    said = read_said([fold(value)], Calendar(date(2000, 1, 1)))
    number = said.first if isinstance(said, EachYear) and said.first == said.last else value.zfill(2)
    if not re.fullmatch("0[1-9]|1[0-2]", number):
        raise ValueError("a month is needed, such as 12, december, 6..8; 11..02 spans New Year")
    return Span(number, number + "~", number, number + "~")


def read_day(value: str) -> Span:
    """Parse a day of any year; the span is text as MM-DD."""
    try:
        date.fromisoformat(f"2000-{value}")
    except ValueError as error:
        raise ValueError(
            "a day of any year is needed, such as 12-24, 12-24..12-26; 12-31..01-01 spans New Year"
        ) from error
    return Span(value, value + "~", value, value + "~")


def read_weekday(value: str) -> Span:
    """Parse a day of the week by its name; 1 is Monday."""
    from photoindex.query.calendar_words import WEEKDAYS

    number = WEEKDAYS.get(fold(value))
    if number is None:
        raise ValueError("a day of the week is needed, such as sunday, monday..friday or friday..sunday")
    return Span(number, number, number, number)


def read_time_of_day(value: str) -> Span:
    """Parse an hour, minute or second of any day; the span is the whole period, as text starting with HH."""
    match = _TIME_OF_DAY.fullmatch(value)
    if not match:
        raise ValueError("a time of day is needed, such as 18, 18:30 or 18:30:15; 22..04 spans midnight")
    if int(match[1]) > 23 or int(match[2] or 0) > 59 or int(match[3] or 0) > 59:
        raise ValueError(f"'{value}' is not a time of day; times go from 00:00:00 to 23:59:59")
    low = ":".join([match[1].zfill(2), *(part for part in match.groups()[1:] if part)])
    return Span(low, low + "~", low, low + "~")


def read_duration(value: str) -> Span:
    """Parse a length of time: seconds, 1:30, 1:02:03, 10s, 5min, 1.5h; plain equality covers what rounds to it."""
    if clock := _CLOCK.fullmatch(value):
        seconds = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(f"{clock[3]}.{clock[4] or 0}")
        if int(clock[3]) > 59 or (clock[1] and int(clock[2]) > 59):
            raise ValueError(f"'{value}' is not a length of time; minutes and seconds go from 0 to 59")
        return _span_around(seconds, len(clock[4] or ""), 1.0)
    try:
        parts = durations.split(value + "s" if _BARE_SECONDS.fullmatch(value) else value)
    except ValueError as error:
        raise ValueError(f"{error}; a length of time is needed, such as 10s, 1:30, 5min or 1.5h") from error
    last = parts[-1]
    return _span_around(sum(part.seconds for part in parts), last.decimals, durations.UNIT_SECONDS[last.unit])


def read_exposure(value: str) -> Span:
    """Parse an exposure time: 1/250, 0.004, 2s; plain equality covers what rounds to it (1/250.5 to 1/249.5)."""
    if fraction := _FRACTION.fullmatch(value):
        above, below = float(fraction[1]), int(fraction[2])
        if not above or not below:
            raise ValueError("a fraction of a second is needed, such as 1/250")
        low, high = _with_tolerance(above / below)
        return Span(low, high, min(low, above / (below + 0.5)), max(high, above / (below - 0.5)))
    match = _SECONDS.fullmatch(value)
    if not match:
        raise ValueError("an exposure time is needed, such as 1/250, 0.5 or 2s")
    seconds = float(f"{match[1]}.{match[2] or 0}")
    low, high = _with_tolerance(seconds)
    near = _span_around(seconds, len(match[2] or ""), 1.0)
    return Span(low, high, near.near_low, near.near_high)


def _today(now: str) -> date:
    return date.fromisoformat(now[:10])


def _words(value: str) -> list[str]:
    from photoindex.query.said_dates import said_words

    return said_words(value.replace("-", " "))


def _said(value: str, context: str) -> Period | None:
    """Return the days that a value says in words, None if it is written otherwise, or means days of any year."""
    if _DATE.fullmatch(value):
        return None
    from photoindex.query.said_dates import Calendar, Period, read_said

    weekday = int(context.rpartition(_WEEK_FROM)[2]) if _WEEK_FROM in context else 0
    calendar = Calendar(_today(context), southern=_SOUTHERN in context, first_weekday=weekday)
    found = read_said([fold(value)], calendar) or read_said(_words(value), calendar)
    return found if isinstance(found, Period) and found.first and found.last else None


def _with_tolerance(seconds: float) -> tuple[float, float]:
    return seconds * (1 - _EXPOSURE_TOLERANCE), seconds * (1 + _EXPOSURE_TOLERANCE)


def _span_around(seconds: float, decimals: int, unit: float) -> Span:
    half_step = unit * 0.5 * 10.0**-decimals
    return Span(seconds, seconds, seconds - half_step, seconds + half_step)


def _relative_day(value: str, relative: re.Match[str], today: date) -> date:
    if not relative[1]:
        return today - timedelta(days=value.lower() == "yesterday")
    months, days = _months_and_days(relative[1])
    try:
        month = today.year * 12 + today.month - 1 - months
        first = date(month // 12, month % 12 + 1, 1)
        next_month = (first + timedelta(days=31)).replace(day=1)
        # 31 March minus one month is the last day of February.
        day = min(first + timedelta(days=today.day - 1), next_month - timedelta(days=1))
        return day - timedelta(days=days)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{value}' is before the year 1") from error


def _months_and_days(written: str) -> tuple[int, int]:
    example = "a date is needed, such as last-30d, last-2w, last-6mo or last-1y"
    try:
        parts = durations.split(written, calendar=True)
    except ValueError as error:
        raise ValueError(f"{error}; {example}") from error
    if any(part.decimals or part.unit not in _MONTHS | _DAYS for part in parts):
        raise ValueError(f"'{written}' is not a number of whole days, weeks, months or years; {example}")
    months = sum(int(part.number) * _MONTHS.get(part.unit, 0) for part in parts)
    return months, sum(int(part.number) * _DAYS.get(part.unit, 0) for part in parts)


def _instant(text: str) -> float:
    """Return the first moment of a period, or the last if '~' follows; infinite if outside 1970 to 9998."""
    whole = _LAST_MOMENT if text.endswith("~") else _FIRST_MOMENT
    start = text.removesuffix("~")
    year = int(start[:4])
    if year < 1970 or year > 9998:
        return float("-inf") if year < 1970 else float("inf")
    if text.endswith("~") and len(start) == len("2019-06"):
        following = date(year, int(start[5:7]), 1) + timedelta(days=31)
        start = (following.replace(day=1) - timedelta(days=1)).isoformat()
    moment = datetime.fromisoformat(start + whole[len(start) :])
    # timestamp() reads a naive time as local time, as intended.
    return moment.timestamp() + (0.999_999 if text.endswith("~") else 0.0)


def _check_calendar(value: str, parts: dict[str, int]) -> None:
    if parts["year"] == 0:
        raise ValueError("there is no year 0000")
    if not 1 <= parts.get("month", 1) <= 12:
        raise ValueError(f"there is no month {value[5:7]}; months are 01 to 12")
    try:
        date(parts["year"], parts.get("month", 1), parts.get("day", 1))
    except ValueError as error:
        raise ValueError(f"{value[:7]} has no day {value[8:10]}") from error
    if parts.get("hour", 0) > 23 or parts.get("minute", 0) > 59 or parts.get("second", 0) > 59:
        raise ValueError(f"'{value[11:]}' is not a time of day; times go from 00:00:00 to 23:59:59")
