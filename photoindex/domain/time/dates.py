"""Parsing dates as cameras and programs write them, and converting them to ISO 8601."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime

OLDEST_YEAR = 1826
"""The year of the oldest surviving photograph, Niépce's View from the Window at Le Gras."""
HOUR_24 = "hour 24 is taken as hour 0 of the same date"
_ZERO_YEARS = (1900, 1980)
"""The years of a C library's and of DOS's time with all bits zero, whose month and day are zero too."""

_DATE_TIME = re.compile(
    r"""\s*(?P<year>\d{4})
    (?:[:/.\- ]\s?(?P<month>\d{1,2})
    (?:[:/.\- ]\s?(?P<day>\d{1,2})
    (?:[T \ ]\s*(?P<hour>\d{1,2})[:.]\s?(?P<minute>\d{1,2})(?:[:.]\s?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?)?
    )?)?
    \s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?\s*""",
    re.VERBOSE | re.ASCII,
)
# 20190601, 20190601T123456+0200, and the parts of an IPTC date: 20190601 123456+0200
_COMPACT = re.compile(r"\s*(\d{4})(\d\d)(\d\d)(?:[T ]?\s*(\d\d)(\d\d)(\d\d)?(?!\d)(.*))?\s*", re.ASCII | re.DOTALL)
# Text after a complete date and time is often a misspelt zone or a stray byte; AM and PM would change the hour.
_COMPLETE = re.compile(
    r"\s*(\d{4}[:/.-]\d\d[:/.-]\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?!.*[AaPp]\.?[Mm]).*", re.ASCII | re.DOTALL
)
_DAY_AND_TEXT = re.compile(r"\s*(\d{4}[:/.-]\d\d?[:/.-]\d\d?)[T\s].*", re.ASCII | re.DOTALL)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})", re.ASCII)
_BLANK_END = re.compile(r"[\s:/.\-]+\Z")


class DateError(ValueError):
    """An invalid or impossible date; the message says why."""


def iso_time(text: str, *, fraction: str = "", offset: str = "") -> str | None:
    """Return `text` as ISO 8601 local time, None if it is blank (which means unknown in EXIF).

    text: `2019:06:01 12:34:56` (EXIF) or any common ISO form, with or without sub-seconds and zone. A partial date
    (`2019`, `2019-06`, `2019-06-01`, `2019-06-01T12:34`) stays partial; blanks at its end, which EXIF uses for unknown
    parts, are dropped. fraction, offset: the contents of EXIF's SubSecTime and OffsetTime tags, used if `text` has none.
    Raises DateError for text that is not a date, for an odd date, of which `sound_time` keeps a part, and for years before
    1826 or after the next year.
    """
    time, odd = sound_time(text, fraction=fraction, offset=offset)
    if odd:
        raise DateError(odd)
    return time


def sound_time(text: str, *, fraction: str = "", offset: str = "") -> tuple[str | None, str]:
    """Return the sound part of a date as `iso_time` does, and what is odd about the rest ("" if nothing is).

    A month or day that is zero or impossible is unknown, and so is all that follows it. Of an impossible time of day only
    the day is kept. Hour 24, which phones of LG and Nokia write after midnight, is hour 0 of the same date. Raises DateError
    for text that is not a date, for zeros alone and for years out of range.
    """
    text = _BLANK_END.sub("", text)
    if compact := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second, zone = compact.groups()
        clock = "" if hour is None else f" {hour}:{minute}" + (f":{second}" if second else "") + zone
        text = f"{year}-{month}-{day}{clock}"
    match, odd = _DATE_TIME.fullmatch(text), ""
    if match is None and (complete := _COMPLETE.fullmatch(text)):
        match = _DATE_TIME.fullmatch(complete[1])
    if match is None and (dated := _DAY_AND_TEXT.fullmatch(text)):
        match, odd = _DATE_TIME.fullmatch(dated[1]), "the time of day is not readable"
    if match is None:
        if not text:
            return None, ""
        raise DateError("not a date")
    date, unsound = _sound_date(match["year"], match["month"], match["day"], is_clock_zero=_is_zero(match["hour"]))
    if unsound or match["hour"] is None:
        return date, unsound or odd
    return _with_clock(date, match, fraction, offset)


def _is_zero(hour: str | None) -> bool:
    return hour is not None and int(hour) == 0


def _sound_date(year: str, month: str | None, day: str | None, *, is_clock_zero: bool) -> tuple[str, str]:
    """Return the possible part of a date and what is odd about it."""
    if not int(year) and not int(month or 0) and not int(day or 0):
        raise DateError("not a date")
    newest_year = datetime.now(UTC).year + 1
    if not OLDEST_YEAR <= int(year) <= newest_year:
        raise DateError(f"the year is not between {OLDEST_YEAR} and {newest_year}")
    if month is None:
        return year, ""
    if int(year) in _ZERO_YEARS and int(month) == 0 and is_clock_zero:
        raise DateError("the zero of a clock that was never set")
    if not 1 <= int(month) <= 12:
        return year, _unknown("month", int(month))
    date = f"{year}-{int(month):02}"
    if day is None:
        return date, ""
    if not 1 <= int(day) <= monthrange(int(year), int(month))[1]:
        return date, _unknown("day", int(day))
    return f"{date}-{int(day):02}", ""


def _unknown(part: str, value: int) -> str:
    return f"the {part} is zero, which means unknown" if value == 0 else f"{part} {value} does not exist"


def _with_clock(date: str, match: re.Match[str], fraction: str, offset: str) -> tuple[str, str]:
    """Return a date with the time of day of the match, or the date alone if that is impossible; and what is odd."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    # Leap seconds are valid in ISO 8601.
    for part, value, most in (("hour", hour, 24), ("minute", minute, 59), ("second", second, 60)):
        if value > most:
            return date, f"{part} {value} does not exist"
    clock = f"{hour % 24:02}:{minute:02}"
    if match["second"] is not None:
        digits = match["fraction"] or fraction.strip()
        clock += f":{second:02}" + (f".{digits[:9]}" if digits.isascii() and digits.isdigit() else "")
    return f"{date}T{clock}{iso_offset(match['zone'] or offset)}", HOUR_24 if hour == 24 else ""


def says_more(date: str, known: str) -> bool:
    """Tell whether an ISO 8601 date says more than a known one about the same moment.

    It does if the known one is its beginning, or is a year alone where it has a day.
    """
    is_partial = len(known) < len("2019-06-01T")
    return (is_partial and len(date) > len(known) and date.startswith(known)) or (
        len(known) == len("2019") and len(date) >= len("2019-06-01")
    )


def iso_offset(text: str) -> str:
    """Return an offset as `+02:00`, "" if it is missing or more than 14 hours from UTC."""
    text = text.strip()
    if text in ("Z", "UTC"):
        return "+00:00"
    match = _OFFSET.fullmatch(text)
    if match is None:
        return ""
    sign, hours, minutes = match.groups()
    if int(minutes) > 59 or int(hours) * 60 + int(minutes) > 14 * 60:
        return ""
    return f"{sign}{int(hours):02}:{minutes}"
