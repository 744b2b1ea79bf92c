"""Normalises text for comparison: case, accents, bytes that are not UTF-8."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """Return `text` without case, accents and compatibility forms, so that ZURICH, Zürich and zurich compare equal."""
    return text.lower() if text.isascii() else _fold_marked(text)


@lru_cache(maxsize=4096)
def _fold_marked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", without_stray_bytes(text))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return plain.casefold()


def without_stray_bytes(text: str) -> str:
    """Return `text` with bytes that are not UTF-8 (surrogates from a path) replaced by U+FFFD."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace")
