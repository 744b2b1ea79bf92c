"""How long a command may work, as a person writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from photoindex.errors import UsageError

_WINDOW = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_SECONDS = (86400.0, 3600.0, 60.0, 1.0)


def parse_window(text: str) -> float:
    """Return `text` (90s, 30m, 2h, 1h30m, 1d) in seconds; m is minutes. Raises UsageError."""
    match = _WINDOW.fullmatch(text.strip().lower())
    seconds = (
        0.0
        if match is None
        else sum(float(part or 0) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True))
    )
    if seconds <= 0 or seconds > 366 * _SECONDS[0]:
        raise UsageError(f"'{text}' is no length of time; write numbers with d, h, m or s: 2h, 30m, 1h30m")
    return seconds


def utc(seconds: float | None) -> str | None:
    """Return UTC seconds since 1970 in ISO 8601 to the millisecond, None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(seconds: float | None) -> str:
    """Return UTC seconds since 1970 as a person reads it here: local wall time to the second, with the offset."""
    if seconds is None:
        return "an unknown time"
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
