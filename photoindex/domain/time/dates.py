"""Parsing dates as cameras and programs write them, and converting them to ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime

OLDEST_YEAR = 1826
"""The year of the oldest surviving photograph, Niépce's View from the Window at Le Gras."""

_DATE_TIME = re.compile(
    r"""\s*(?P<year>\d{4})
    (?:[:/.\- ]\s?(?P<month>\d{1,2})
    (?:[:/.\- ]\s?(?P<day>\d{1,2})
    (?:[T \ ]\s*(?P<hour>\d{1,2})[:.]\s?(?P<minute>\d{1,2})(?:[:.]\s?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?)?
    )?)?
    \s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?\s*""",
    re.VERBOSE | re.ASCII,
)
# Text after a complete date and time is often a misspelt zone or a stray byte; AM and PM would change the hour.
_COMPLETE = re.compile(
    r"\s*(\d{4}[:/.-]\d\d[:/.-]\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?!.*[AaPp]\.?[Mm]).*", re.ASCII | re.DOTALL
)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})", re.ASCII)
_BLANK_END = re.compile(r"[\s:/.\-]+\Z")


class DateError(ValueError):
    """An invalid or impossible date; the message says why."""


def iso_time(text: str, *, fraction: str = "", offset: str = "") -> str | None:
    """Return `text` as ISO 8601 local time, None if it is blank (which means unknown in EXIF).

    text: `2019:06:01 12:34:56` (EXIF) or any common ISO form, with or without sub-seconds and zone. A partial date
    (`2019`, `2019-06`, `2019-06-01`, `2019-06-01T12:34`) stays partial; blanks at its end, which EXIF uses for unknown
    parts, are dropped. fraction, offset: the contents of EXIF's SubSecTime and OffsetTime tags, used if `text` has none.
    Raises DateError for text that is not a date and for years before 1826 or after the next year.
    """
    text = _BLANK_END.sub("", text)
    match = _DATE_TIME.fullmatch(text)
    if match is None and (complete := _COMPLETE.fullmatch(text)):
        match = _DATE_TIME.fullmatch(complete[1])
    if match is None:
        if not text:
            return None
        raise DateError("not a date")
    year, month, day, hour, minute, second, own_fraction, zone = match.groups()
    _check(int(year), int(month or 1), int(day or 1), (int(hour or 0), int(minute or 0), int(second or 0)))
    if hour is None:
        return "-".join(part.zfill(2) for part in (year, month, day) if part)
    clock = f"{int(hour):02}:{int(minute):02}"
    if second is not None:
        digits = own_fraction or fraction.strip()
        fractional = f".{digits[:9]}" if digits.isascii() and digits.isdigit() else ""
        clock += f":{int(second):02}{fractional}"
    return f"{year}-{int(month):02}-{int(day):02}T{clock}{iso_offset(zone or offset)}"


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


def _check(year: int, month: int, day: int, clock: tuple[int, int, int]) -> None:
    if (year, month, day) == (0, 0, 0):
        raise DateError("not a date")
    newest_year = datetime.now(UTC).year + 1
    if not OLDEST_YEAR <= year <= newest_year:
        raise DateError(f"the year is not between {OLDEST_YEAR} and {newest_year}")
    try:
        # Leap seconds are valid in ISO 8601 but not in datetime.
        datetime(year, month, day, clock[0], clock[1], min(clock[2], 59) if clock[2] == 60 else clock[2], tzinfo=UTC)
    except ValueError as error:
        raise DateError(str(error)) from None
