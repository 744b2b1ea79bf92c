"""Dates that a file's name, its folder and its modification time tell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from photoindex.media.facts.dates import DateError, iso_time

_YEAR = r"(?<!\d)(?P<year>(?:19|20)\d\d)"
# IMG_20190601_123456, PXL_20210203_101112345, Screenshot_2019-06-01-12-34-56, signal-2019-06-01-123456,
# 2019-06-01 12.34.56, WhatsApp Image 2019-06-01 at 1.34.56 PM, DJI_20230601123456_0001
_TIME = re.compile(
    _YEAR + r"(?P<s>[-_.:]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
    r"(?:[-_., T]|, |[ _]at[ _]|[ _]-[ _])?"
    r"(?P<hour>\d\d|\d(?=[.:]))(?P<t>[-_.:]?)(?P<minute>\d\d)(?P=t)(?P<second>\d\d)"
    r"(?:[-_.]?(?P<fraction>\d{3}))?(?!\d)(?:[ \u202f]?(?P<half>[AP])M\b)?",
    re.ASCII | re.IGNORECASE,
)
# IMG-20190601-WA0001
_DAY = re.compile(_YEAR + r"(?P<s>[-_.]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)(?!\d)", re.ASCII)
# FB_IMG_1559392496123, mmexport1559392496123: milliseconds since 1970
_MILLISECONDS = re.compile(r"(?<!\d)(1\d{12})(?!\d)", re.ASCII)
# Google's camera names its files by UTC.
_UTC_NAME = re.compile(r"PXL_", re.ASCII)
# Names that are hashes hold any digits.
_HASH = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{20,}", re.ASCII | re.IGNORECASE)
# DCF 2.0: what a camera itself called it. Nobody has touched the name, so perhaps nobody has touched the time.
_CAMERA_NAME = re.compile(rb"[A-Z0-9_]{4}\d{4}\.\w+\Z", re.IGNORECASE)

_FOLDER_DAY = re.compile(_YEAR + r"(?P<s>[-_. /]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)(?!\d)", re.ASCII)
_FOLDER_MONTH = re.compile(_YEAR + r"[-_. /](?P<month>\d\d)(?!\d)", re.ASCII)
_FOLDER_YEAR = re.compile(_YEAR + r"(?![\dA-Za-z])", re.ASCII)

_NAME_LIMIT_CHARACTERS = 300
_FOLDER_LIMIT_CHARACTERS = 1000
_FIRST_BELIEVED = 315619200  # 1980-01-02: FAT, ZIP and unset clocks begin before


def dates_of_name(name: bytes) -> dict[str, str]:
    """Return the dates in a file name as ISO 8601: `time` (with zone where the pattern has one), `milliseconds`, `day`."""
    text = _HASH.sub(" ", name.decode("utf-8", "replace")[-_NAME_LIMIT_CHARACTERS:])
    found: dict[str, str] = {}
    zone = "Z" if _UTC_NAME.match(text) else ""
    for match in _TIME.finditer(text):
        hour = _hour_of_day(int(match["hour"]), match["half"])
        clock = f"{hour:02}:{match['minute']}:{match['second']}"
        day = f"{match['year']}-{match['month']}-{match['day']}"
        if moment := _valid(f"{day} {clock}", fraction=match["fraction"] or "", offset=zone):
            found["time"] = moment
            return found
    for match in _MILLISECONDS.finditer(text):
        moment_of = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))
        if moment := _valid(moment_of.strftime("%Y-%m-%d %H:%M:%S"), fraction=match[1][-3:], offset="Z"):
            found["milliseconds"] = moment
    for match in _DAY.finditer(text):
        if moment := _valid(f"{match['year']}-{match['month']}-{match['day']}"):
            found["day"] = moment
            break
    return found


def dates_of_folder(folder: bytes) -> dict[str, str]:
    """Return the most exact date in a folder's path, the one nearest to the file: `day`, `month` or `year`."""
    text = folder.decode("utf-8", "replace")[-_FOLDER_LIMIT_CHARACTERS:]
    for name, pattern, parts in (
        ("day", _FOLDER_DAY, ("year", "month", "day")),
        ("month", _FOLDER_MONTH, ("year", "month")),
        ("year", _FOLDER_YEAR, ("year",)),
    ):
        dates = [date for match in pattern.finditer(text) if (date := _valid("-".join(match[part] for part in parts)))]
        if dates:
            return {name: dates[-1]}
    return {}


def dates_of_mtime(mtime_ns: int, name: bytes) -> dict[str, str]:
    """Return the modification time as ISO 8601 in UTC: `kept` under a camera's own file name, else `any`."""
    if not _FIRST_BELIEVED * 10**9 <= mtime_ns < 1 << 62:
        return {}
    moment = datetime.fromtimestamp(mtime_ns // 10**9, UTC).isoformat()
    return {"kept" if _CAMERA_NAME.match(name) else "any": moment}


def _valid(text: str, *, fraction: str = "", offset: str = "") -> str | None:
    try:
        return iso_time(text, fraction=fraction, offset=offset)
    except DateError:
        return None


def _hour_of_day(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)
