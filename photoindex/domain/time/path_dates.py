"""Dates from a file's name, its folder's path and its modification time."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from photoindex.domain.time.dates import HOUR_24, DateError, sound_time
from photoindex.domain.time.wall import is_clock_zero, parse_wall
from photoindex.text import composed

_YEAR = r"(?<!\d)(?P<year>(?:19|20)\d\d)"
_DATE = _YEAR + r"(?P<s>[-_.:]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
# What macOS puts between the date and time of a screenshot, in its most common languages.
_AT = r"at|um|om|à|a\ las|às|alle(?:\ ore)?|kl\.?|klo|o|v|\u0432|\u043e"
# IMG_20190601_123456, PXL_20210203_101112345, Screenshot_2019-06-01-12-34-56, signal-2019-06-01-123456,
# photo_2019-06-01_12-34-56, WP_20190601_12_34_56_Pro, 2019-06-01 12.34.56, WhatsApp Image 2019-06-01 at 1.34.56 PM,
# Bildschirmfoto 2019-06-01 um 12.34.56, DJI_20230601123456_0001, 20190601T123456Z
_TIME = re.compile(
    _DATE + rf"(?:[-_., T]|, |[ _](?:{_AT}|-)[ _])?"
    r"(?P<hour>\d\d|\d(?=[.:]))(?P<t>[-_.: ]?)(?P<minute>\d\d)(?P=t)(?P<second>\d\d)"
    r"(?:[-_.]?(?P<fraction>\d{3}))?(?!\d)(?:[ \u202f\xa0]?(?P<half>[AP])\.?[ \u202f\xa0]?M\b|(?P<zulu>Z)(?![A-Za-z]))?",
    re.ASCII | re.IGNORECASE,
)
# Photo 2019-06-01 12.34; with fewer separators the last digits might be a counter.
_MINUTE = re.compile(
    _YEAR + r"(?P<s>[-_.:])(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
    rf"(?:[T ]|, |[ _](?:{_AT}|-)[ _])(?P<hour>\d\d|\d)[.:](?P<minute>\d\d)(?![.:]?\d)(?:[ \u202f\xa0]?(?P<half>[AP])\.?[ \u202f\xa0]?M\b)?",
    re.ASCII | re.IGNORECASE,
)
# 19-06-01 12-34-56 4411.jpg: Nextcloud's name of iPhone photos.
_SHORT_TIME = re.compile(r"(\d\d)-(\d\d)-(\d\d) (\d\d)-(\d\d)-(\d\d)(?=[ .])", re.ASCII)
# IMG-20190601-WA0001, Scan_20190601, 2019_06_01 at the lake
_DAY = re.compile(_DATE + r"(?!\d|x\d)", re.ASCII)
# 1974-06-00, 1974-00-00: archivists' way to say that the day or month is unknown
_ZERO_DAY = re.compile(_YEAR + r"(?P<s>[-_.])(?P<month>\d\d)(?P=s)00(?!\d)", re.ASCII)
# FB_IMG_1559392496123, mmexport1559392496123: milliseconds since 1970
_MILLISECONDS = re.compile(r"(?<!\d)(1\d{12})(?!\d)", re.ASCII)
# The Pixel camera app uses UTC in file names.
_UTC_NAME = re.compile(r"PXL_", re.ASCII)
# Facebook and Messenger name pictures by ids, which can contain any digits.
_ID_NAME = re.compile(r"received_|\d{5,}_\d{5,}_\d{5,}_[a-z]\b", re.ASCII | re.IGNORECASE)
# Hashes, UUIDs and telephone numbers (E.123) can contain any digits.
_NO_DATES = re.compile(
    r"(?=[0-9]*[a-f])[0-9a-f]{20,}|(?=[0-9a-f]*[a-f][0-9]+[a-f])[0-9a-f]{12,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<![0-9A-Za-z])\+(?!(?:19|20)\d\d)[1-9][\d ()-]{7,}",
    re.ASCII | re.IGNORECASE,
)
# DCF 2.0: the camera's own file name. If nobody renamed the file, perhaps nobody changed its modification time.
_CAMERA_NAME = re.compile(rb"[A-Z0-9_]{4}\d{4}\.\w+\Z", re.IGNORECASE)

_FOLDER_DAY = re.compile(_YEAR + r"(?P<s>[-_. /]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)(?!\d)", re.ASCII)
_FOLDER_MONTH = re.compile(_YEAR + r"[-_. /](?P<month>\d\d)(?!\d)", re.ASCII)
# Not a year: 2015-2019, Nikon D2000, 1920 x 1080.
_FOLDER_YEAR = re.compile(
    r"(?<!\b[A-Za-z])(?<!\d{4}[-\u2013])" + _YEAR + r"(?![\dA-Za-z]|[-\u2013]\d{4}|[ _]?[x\u00d7][ _]?\d)", re.ASCII
)
_WORD = r"(?P<word>[^\W\d_]{3,10})"
# 1. Juni 2019, 1 June 2019, June 2019; 2019 June, 2019/06 June
_WORD_FIRST = re.compile(
    rf"(?:(?<!\d)(?P<day>\d\d?)(?:st|nd|rd|th|\.)?[ _-](?:de )?)?{_WORD}[ _.,-]+(?:de )?" + _YEAR + r"(?![\dA-Za-z])"
)
_YEAR_FIRST = re.compile(_YEAR + rf"[ _./-]+(?:\d\d[ _.-]+)?{_WORD}(?![^\W\d_])")
_MONTHS = {
    month: number
    for number, months in enumerate(
        (
            "january jan januar januari janvier enero gennaio janeiro",
            "february feb februar februari février febrero febbraio fevereiro",
            "march mar märz maart mars marzo março",
            "april apr avril abril aprile",
            "may mai mei mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug augustus août agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for month in months.split()
}
"""Month names in English, German, Dutch, French, Spanish, Italian and Portuguese."""

_CENTURY = re.compile(r"(?:19|20)\d\d", re.ASCII)
_NAME_LIMIT_CHARACTERS = 300
_FOLDER_LIMIT_CHARACTERS = 1000
_DAY_SECONDS = 86400
_EARLIEST_MTIME = 315619200  # 1980-01-02: earlier are the epochs of FAT, ZIP and unset clocks


def dates_of_name(name: bytes) -> dict[str, str]:
    """Return the dates in a file name as ISO 8601: `time` (with zone if the pattern has one), `milliseconds`, `day`.

    A `time` may have no seconds (`2019-06-01T12:34`). Where the day or month is written as zero: `month` or `year`.
    """
    text = _text(name, _NAME_LIMIT_CHARACTERS)
    if _ID_NAME.match(text):
        return {}
    text = _NO_DATES.sub(" ", text)
    moment = _time_in(text)
    if moment:
        return {"time": moment}
    found: dict[str, str] = {}
    for match in _MILLISECONDS.finditer(text):
        moment_of = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))
        if moment := _valid(moment_of.strftime("%Y-%m-%d %H:%M:%S"), fraction=match[1][-3:], offset="Z"):
            found["milliseconds"] = moment
    for match in _DAY.finditer(text):
        if day := _valid(_day_of(match)):
            found["day"] = day
            return found
    for match in _ZERO_DAY.finditer(text):
        parts = ("year",) if match["month"] == "00" else ("year", "month")
        if date := _valid("-".join(match[part] for part in parts)):
            return found | {parts[-1]: date}
    return found


def dates_of_folder(folder: bytes) -> dict[str, str]:
    """Return the most precise date in a folder's path, of several the one closest to the file: `day`, `month` or `year`."""
    text = _NO_DATES.sub(" ", _text(folder, _FOLDER_LIMIT_CHARACTERS))
    if not _CENTURY.search(text):
        return {}
    found: dict[str, list[tuple[int, str]]] = {"day": [], "month": [], "year": []}
    for name, pattern, parts in (
        ("day", _FOLDER_DAY, ("year", "month", "day")),
        ("month", _FOLDER_MONTH, ("year", "month")),
        ("year", _FOLDER_YEAR, ("year",)),
    ):
        for match in pattern.finditer(text):
            if date := _valid("-".join(match[part] for part in parts)):
                found[name].append((match.start("year"), date))
    for match in (*_WORD_FIRST.finditer(text), *_YEAR_FIRST.finditer(text)):
        month = _MONTHS.get(match["word"].casefold())
        if month is None:
            continue
        day = match.groupdict().get("day")
        if date := _valid(f"{match['year']}-{month:02}" + (f"-{day}" if day else "")):
            found["day" if day else "month"].append((match.start("year"), date))
    for name, dates in found.items():
        if dates:
            return {name: max(dates)[1]}
    return {}


def dates_of_mtime(mtime_ns: int, name: bytes) -> dict[str, str]:
    """Return the modification time as ISO 8601 in UTC: `kept` if the file still has the camera's name, else `any`.

    One after tomorrow says nothing, and neither does the zero of a clock or a file system.
    """
    seconds = mtime_ns // 10**9
    if not _EARLIEST_MTIME <= seconds <= time.time() + _DAY_SECONDS:
        return {}
    moment = datetime.fromtimestamp(seconds, UTC).isoformat()
    wall = parse_wall(moment)
    # The offset is that of UTC, not one that a clock knew.
    if wall is None or is_clock_zero(replace(wall, offset_minutes=None)):
        return {}
    return {"kept" if _CAMERA_NAME.match(name) else "any": moment}


def _time_in(text: str) -> str | None:
    """Return the first valid time in a name, preferring one with seconds."""
    zone = "Z" if _UTC_NAME.match(text) else ""
    if match := _SHORT_TIME.match(text):
        year, month, day, hour, minute, second = match.groups()
        if moment := _valid(f"20{year}-{month}-{day} {hour}:{minute}:{second}"):
            return moment
    for match in _TIME.finditer(text):
        clock = f"{_hour_of_day(int(match['hour']), match['half']):02}:{match['minute']}:{match['second']}"
        offset = "Z" if match["zulu"] else zone
        if moment := _valid(f"{_day_of(match)} {clock}", fraction=match["fraction"] or "", offset=offset):
            return moment
    for match in _MINUTE.finditer(text):
        clock = f"{_hour_of_day(int(match['hour']), match['half']):02}:{match['minute']}"
        if moment := _valid(f"{_day_of(match)} {clock}"):
            return moment
    return None


def _text(name: bytes, limit_characters: int) -> str:
    """Return the end of a name as composed text (NFC); macOS stores decomposed names (NFD)."""
    return composed(name.decode("utf-8", "replace")[-limit_characters:])


def _day_of(match: re.Match[str]) -> str:
    return f"{match['year']}-{match['month']}-{match['day']}"


def _valid(text: str, *, fraction: str = "", offset: str = "") -> str | None:
    try:
        date, odd = sound_time(text, fraction=fraction, offset=offset)
    except DateError:
        return None
    return date if odd in ("", HOUR_24) else None


def _hour_of_day(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)
