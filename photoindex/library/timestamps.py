"""Formats times: UTC for programs, local time for people."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(seconds: float | None) -> str | None:
    """Return UTC seconds since 1970 in ISO 8601 to the millisecond, None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(seconds: float | None) -> str:
    """Return UTC seconds since 1970 as local time to the second, with the offset."""
    if seconds is None:
        return "an unknown time"
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
