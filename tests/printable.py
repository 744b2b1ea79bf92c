"""What may be printed."""

from __future__ import annotations

import unicodedata


def is_one_line(text: str) -> bool:
    """Whether a text stays on its line and moves no cursor; names may hold blanks of every kind and joined emoji."""
    return all(one.isprintable() or one == "\u200d" or unicodedata.category(one) == "Zs" for one in text)
