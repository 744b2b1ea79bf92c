"""When a run ends: at a time of day, or after a length of time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def next_time(clock: str, now: datetime) -> datetime:
    """Return when a clock shows HH:MM next, after `now`; both are times without a zone, as clocks here show them.

    Raises ValueError.
    """
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        raise ValueError(f"'{clock}' is not a time of day; write one like 06:00")
    wall = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    return wall if wall > now else wall + timedelta(days=1)


def window_seconds(until: str | None, for_seconds: float | None, now: datetime) -> float | None:
    """Return how long a run may start work, None without an end; of two ends the earlier counts. Raises ValueError.

    A night in which the clocks change is an hour shorter or longer.
    """
    lengths = [] if for_seconds is None else [for_seconds]
    if until is not None:
        lengths.append(next_time(until, now).timestamp() - now.timestamp())
    return min(lengths, default=None)
