"""Options that take a share of something."""

from __future__ import annotations

from photoindex.errors import UsageError


def percentage(text: str, option: str) -> float:
    """Return a share from a text such as 3% or 0.5 %, above 0 and at most 1. Raises UsageError."""
    try:
        share = float(text.strip().removesuffix("%")) / 100 if text.strip().endswith("%") else 0.0
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(f"{option}: '{text}' is not a percentage; write 3% or 0.5%, at most 100%")
    return share
