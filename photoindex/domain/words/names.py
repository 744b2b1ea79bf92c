"""Names of tags, whose levels are separated by slashes, and names of albums."""

from __future__ import annotations

import re

from photoindex.text import composed, fold

_CHARACTERS_MAX = 200
_LEVELS_MAX = 10
_SPACES = re.compile("[ \\u00a0\\u2000-\\u200a\\u202f\\u3000]+")
_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Invisible, but Persian and Indian words and emoji of several persons are written with them."""
_BETWEEN_LEVELS = re.compile(r"[/|\uff0f\uff5c]")
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_CONFIDENCE = re.compile(r"@\s*\d{1,3}%?\s*$")
_REFUSED_BEGINNINGS = ("-", "@", "#")


def checked_tag(written: str) -> str:
    """Return the name of a tag composed (NFC), each level with single spaces and none around it; `|` separates levels too.

    Raises ValueError, which says what is wrong.
    """
    if "," in written:
        raise ValueError("a tag must not contain a comma: in a query, it separates tags (tag:dog,cat)")
    if _CONFIDENCE.search(written):
        raise ValueError("a tag must not end with @ and a number: in a query, it asks for a confidence (tag:dog@80)")
    levels = [_checked(level, "a tag") for level in _BETWEEN_LEVELS.split(composed(written))]
    if len(levels) == 1 and not levels[0]:
        raise ValueError("a tag must not be empty")
    if not all(fold(level).strip() for level in levels):
        raise ValueError("no level of a tag may be empty: animals/dog")
    name = "/".join(levels)
    if len(levels) > _LEVELS_MAX:
        raise ValueError(f"a tag has at most {_LEVELS_MAX} levels")
    if len(name) > _CHARACTERS_MAX:
        raise ValueError(f"a tag has at most {_CHARACTERS_MAX} characters")
    if tag_key(name).count("/") != len(levels) - 1:
        raise ValueError("a tag must not contain a sign that stands for a slash")
    return name


def is_tag(name: str) -> bool:
    """Return whether a name, put together of levels of tags, is short enough for one."""
    return len(name) <= _CHARACTERS_MAX and name.count("/") < _LEVELS_MAX


def tag_key(name: str) -> str:
    """Return what two spellings of the same tag have in common: Unicode form, case and accents are ignored."""
    return "/".join(fold(level).strip() for level in name.split("/"))


def tag_of_keyword(keyword: str) -> str | None:
    """Return the name of the tag that a file's keyword is, None for a keyword that is none: empty, or too long for one.

    Files may use commas and anything else in keywords; `|` and `/` separate levels, and empty ones do not count.
    """
    plain = _NOT_PRINTABLE.sub(" ", composed(keyword))
    levels = [_SPACES.sub(" ", level).strip() for level in _BETWEEN_LEVELS.split(plain)]
    name = "/".join(level for level in levels if fold(level).strip("/ "))
    if tag_key(name).count("/") != name.count("/"):
        return None
    return name if 0 < len(name) <= _CHARACTERS_MAX else None


def checked_album(written: str) -> str:
    """Return the name of an album composed (NFC), with single spaces and none around it.

    Raises ValueError, which says what is wrong.
    """
    name = _checked(composed(written), "an album")
    if not fold(name).strip():
        raise ValueError("the name of an album must not be empty")
    if "," in name:
        raise ValueError("an album must not contain a comma: in a query, it separates albums (album:Rome,Paris)")
    if len(name) > _CHARACTERS_MAX:
        raise ValueError(f"the name of an album has at most {_CHARACTERS_MAX} characters")
    return name


def _checked(written: str, what: str) -> str:
    text = _SPACES.sub(" ", written).strip()
    if not text.translate(_JOINERS).isprintable():
        raise ValueError(f"{what} must not contain control characters, invisible marks or line breaks")
    if text.startswith(_REFUSED_BEGINNINGS) or '"' in text or "*" in text:
        raise ValueError(
            f"{what} must not begin with '-', '@' or '#', or contain '\"' or '*': they mean something in a query"
        )
    return text
