"""Names of people."""

from __future__ import annotations

import re

from photoindex.text import composed, fold

_CHARACTERS_MAX = 200
_SPACES = re.compile("[ \\u00a0\\u2000-\\u200a\\u202f\\u3000]+")
_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Invisible, but Persian and Indian names and emoji of several persons are written with them."""
_FACE = re.compile(r"[fF][0-9]+", re.ASCII)
_REFUSED_BEGINNINGS = ("-", "@", "#")


def checked_name(written: str) -> str:
    """Return a name composed (NFC), with single spaces and none around it. Raises ValueError, which says what is wrong."""
    name = _SPACES.sub(" ", composed(written)).strip()
    if not fold(name).strip():
        raise ValueError("a name must not be empty")
    if not name.translate(_JOINERS).isprintable():
        raise ValueError("a name must not contain control characters, invisible marks or line breaks")
    if "," in name:
        raise ValueError("a name must not contain a comma: in a query, it separates names (person:Anna,Ben)")
    if name.isdigit():
        raise ValueError("a name must not be a number: people without a name are called by theirs")
    if _FACE.fullmatch(name):
        raise ValueError("a name must not be the number of a face, such as f123")
    if name.startswith(_REFUSED_BEGINNINGS) or '"' in name or "*" in name:
        raise ValueError(
            "a name must not begin with '-', '@' or '#', or contain '\"' or '*': they mean something in a query"
        )
    if len(name) > _CHARACTERS_MAX:
        raise ValueError(f"a name has at most {_CHARACTERS_MAX} characters")
    return name


def name_key(name: str) -> str:
    """Return what two spellings of the same name have in common: Unicode form, case and accents are ignored."""
    return fold(name)
