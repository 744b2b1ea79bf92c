"""Options that take a length of time."""

from __future__ import annotations

from photoindex.durations import age_seconds, running_seconds
from photoindex.errors import UsageError


def running_time(text: str, option: str) -> float:
    """Return the seconds of a time to run or to wait, such as 1h30m. Raises UsageError."""
    try:
        return running_seconds(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def age(text: str, option: str) -> float:
    """Return the seconds of an age, such as 6mo; a bare `m` is refused. Raises UsageError."""
    try:
        return age_seconds(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
