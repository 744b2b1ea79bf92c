"""What is safe to print."""

from __future__ import annotations

import unicodedata


def is_one_line(text: str) -> bool:
    """Whether a text stays on one line and does not move the cursor; any white space and joined emoji are allowed."""
    return all(one.isprintable() or one in "\u200c\u200d" or unicodedata.category(one) == "Zs" for one in text)
