"""Read the values that are written in a query: numbers, sizes and dates become spans, text becomes a pattern."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

Bound = str | int | float

MAX_TEXT_CHARACTERS = 500
"""SQLite refuses patterns over 50,000 bytes; one character folds to at most 18 of three bytes each (U+FDFA)."""
MAX_STARS = 10

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]{1,6}))?")
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?)?)?)?"
)
_GLOB_SPECIAL = re.compile(r"[?\[]")


@dataclass(frozen=True, slots=True)
class Span:
    """What a value covers, both ends included.

    low, high: for comparisons and ranges (a year covers its days, a number only itself). near_low, near_high: for plain
    `field:value`, where a decimal or a size with a unit also covers what rounds to it.
    """

    low: Bound
    high: Bound
    near_low: Bound
    near_high: Bound


def read_integer(value: str) -> Span:
    """Read a whole number. Raises ValueError with a sentence for the user, like all that follow."""
    if not _INTEGER.fullmatch(value):
        raise ValueError("a whole number of at most 18 digits is needed, such as 400")
    number = int(value)
    return Span(number, number, number, number)


def read_decimal(value: str) -> Span:
    """Read a number such as 2.8; plain equality covers what rounds to it (2.75 to 2.85)."""
    match = _DECIMAL.fullmatch(value)
    if not match:
        raise ValueError("a number is needed, such as 50 or 2.8")
    number = float(value)
    half_step = 0.5 * 10.0 ** -len(match[1] or "")
    return Span(number, number, number - half_step, number + half_step)


def read_size(value: str) -> Span:
    """Read a number of bytes with an optional unit: kB, MB, GB, TB (1000) or KiB, MiB, GiB, TiB (1024)."""
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError("a size is needed, such as 500kB, 20MB, 1.5GB (1 MB = 1,000,000 bytes) or 4MiB (1024 x 1024)")
    whole, fraction, letter, binary = match.groups()
    base = 1024 if binary else 1000
    unit = base ** ("kmgt".index(letter.lower()) + 1) if letter else 1
    digits = len(fraction or "")
    size = int(whole + (fraction or "")) * unit / 10**digits
    half_step = unit / 10**digits / 2 if letter else 0
    return Span(size, size, size - half_step, size + half_step)


def read_date(value: str) -> Span:
    """Read a year, month, day, hour, minute or second; the span is the whole period, as text in ISO 8601."""
    match = _DATE.fullmatch(value)
    if not match:
        raise ValueError("a date is needed, such as 2019, 2019-06, 2019-06-15 or 2019-06-15T18:30")
    _check_calendar(value, {name: int(number) for name, number in match.groupdict().items() if number is not None})
    # taken_at begins with the text of every period that it lies in, and '~' sorts behind all that may follow.
    low = value.replace(" ", "T")
    return Span(low, low + "~", low, low + "~")


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
        raise ValueError(f"there is no time {value[11:]}; times are 00:00:00 to 23:59:59")


def check_text(value: str) -> None:
    """Raise ValueError for text that cannot be a pattern."""
    if len(value) > MAX_TEXT_CHARACTERS:
        raise ValueError(f"a value has at most {MAX_TEXT_CHARACTERS} characters")
    if value.count("*") > MAX_STARS:
        raise ValueError(f"a value has at most {MAX_STARS} times '*'")


def glob_pattern(value: str) -> str:
    """Return SQLite's GLOB pattern for text in which only `*` is special."""
    return _GLOB_SPECIAL.sub(lambda found: f"[{found[0]}]", value)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` without case, accents and compatibility forms, so that ZURICH, Zürich and zurich are one."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", without_stray_bytes(text))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return plain.casefold()


def without_stray_bytes(text: str) -> str:
    """Return `text` with what is not a character (bytes of a path that are not UTF-8) replaced by U+FFFD."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace")


def runs_backwards(read: Callable[[str], Span], lower: str, upper: str) -> bool:
    """Tell whether a range begins behind its end; both values can be read."""
    low, high = read(lower).low, read(upper).high
    return str(low) > str(high) if isinstance(low, str) else float(low) > float(high)


READERS: dict[str, Callable[[str], Span]] = {
    "whole number": read_integer,
    "number": read_decimal,
    "size": read_size,
    "date": read_date,
}
"""How each ordered type of value is read."""
