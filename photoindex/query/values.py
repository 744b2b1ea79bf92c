"""Parse the values in a query: numbers and sizes become spans, text becomes a pattern."""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from functools import lru_cache

from photoindex.text import composed, fold, without_stray_bytes

Bound = str | int | float

MAX_TEXT_CHARACTERS = 500
"""SQLite refuses patterns over 50,000 bytes; one character can fold to 18 of three bytes each (U+FDFA)."""
MAX_STARS = 10
MAX_REGEX_CHARACTERS = 500

_INTEGER = re.compile(r"(-?[0-9]{1,18})(?:\.0{1,6})?")
_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]{1,6}))?")
_F_SIGN = re.compile(r"^f/?(?=[0-9])", re.IGNORECASE)
_MILLIMETRES = re.compile(r"(?<=[0-9])\s*mm$", re.IGNORECASE)
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_GLOB_SPECIAL = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Span:
    """The range that a value covers, both ends included.

    low, high: for comparisons and ranges (a year covers its days, a number only itself). near_low, near_high: for plain
    `field:value`, where a decimal or a size with a unit also covers what rounds to it.
    """

    low: Bound
    high: Bound
    near_low: Bound
    near_high: Bound


def read_integer(value: str) -> Span:
    """Parse a whole number. Raises ValueError with a message for the user, like the other readers."""
    match = _INTEGER.fullmatch(value)
    if not match:
        raise ValueError("a whole number of at most 18 digits is needed, such as 400")
    number = int(match[1])
    return Span(number, number, number, number)


def read_decimal(value: str) -> Span:
    """Parse a number such as 2.8; plain equality covers what rounds to it (2.75 to 2.85)."""
    match = _DECIMAL.fullmatch(value)
    if not match:
        raise ValueError("a number is needed, such as 50 or 2.8")
    number = float(value)
    half_step = 0.5 * 10.0 ** -len(match[1] or "")
    return Span(number, number, number - half_step, number + half_step)


def read_f_number(value: str) -> Span:
    """Parse an f-number, like `read_decimal`: 1.8, f/1.8, f1.8."""
    return read_decimal(_F_SIGN.sub("", value))


def read_millimetres(value: str) -> Span:
    """Parse a length with or without its unit, like `read_decimal`: 50, 50mm."""
    return read_decimal(_MILLIMETRES.sub("", value))


def read_size(value: str) -> Span:
    """Parse a number of bytes with an optional unit: kB, MB, GB, TB (1000) or KiB, MiB, GiB, TiB (1024)."""
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


def check_text(value: str) -> None:
    """Raise ValueError for text that is too long or has too many `*` for a pattern."""
    if len(value) > MAX_TEXT_CHARACTERS:
        raise ValueError(f"a value can have at most {MAX_TEXT_CHARACTERS} characters")
    if value.count("*") > MAX_STARS:
        raise ValueError(f"a value can contain '*' at most {MAX_STARS} times")


def glob_pattern(value: str) -> str:
    """Return SQLite's GLOB pattern for folded text: `value` folded, in which only its own `*` are special."""
    return "*".join(_GLOB_SPECIAL.sub(lambda found: f"[{found[0]}]", fold(piece)) for piece in value.split("*"))


def regex_error(pattern: str) -> tuple[str, int] | None:
    """Return what is wrong with a regular expression (Python's `re`) and at which character, None if it is valid."""
    if len(pattern) > MAX_REGEX_CHARACTERS:
        return f"a regular expression can have at most {MAX_REGEX_CHARACTERS} characters", MAX_REGEX_CHARACTERS
    try:
        _compiled(pattern)
    except re.error as error:
        return f"invalid regular expression: {error.msg}", error.pos or 0
    except (OverflowError, RecursionError):
        return "a number in this regular expression is too large, or its parentheses are nested too deeply", 0
    return None


def matches(pattern: str, text: str) -> bool:
    """Return whether a regular expression matches anywhere in `text`, ignoring case but not accents (both in NFC)."""
    plain = text if text.isascii() else without_stray_bytes(composed(text))
    return _compiled(pattern).search(plain) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        # Python warns only about syntax whose meaning may change in a later version.
        warnings.simplefilter("ignore")
        return re.compile(composed(pattern), re.IGNORECASE)


def runs_backwards(lower: Span, upper: Span) -> bool:
    """Return whether a range starts after its end."""
    low, high = lower.low, upper.high
    return str(low) > str(high) if isinstance(low, str) else float(low) > float(high)


def is_indexed(character: str) -> bool:
    """Return whether the full-text tokenizer makes this character part of a token: letters, numbers, private use."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"
