"""Time zones, offline: the zone at a position, and its UTC offset at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ZoneOffset:
    """A zone's UTC offset at some time, in minutes east.

    other_minutes: the second possible offset in the two ambiguous hours of a year: the repeated hour when summer time ends
    and the skipped hour when it begins.
    """

    minutes: int
    other_minutes: int | None = None


def zone_at(latitude: float, longitude: float) -> str | None:
    """Return the IANA name of the zone at a position in degrees (WGS 84), None if it is out of range.

    Borders are those of timezone-boundary-builder, simplified by tzf to some 100 m. The open sea has `Etc/GMT…`.
    """
    if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    # Imported here because it takes 40 MB of memory, which a library without positions does not need.
    from tzfpy import get_tz

    return get_tz(longitude, latitude) or None


def is_zone(name: str) -> bool:
    """Tell whether `name` is a zone of the IANA database, such as `Europe/Lisbon`."""
    return _zone(name) is not None


def is_at_sea(zone: str) -> bool:
    """Tell whether a zone is one of the open sea: these follow the meridian, but ships' clocks need not."""
    return zone.startswith("Etc/")


def offset_of(zone: str, clock: datetime) -> ZoneOffset | None:
    """Return the offset of a local time (naive), None for an unknown zone.

    For the repeated hour this is the first occurrence (still summer time); for the skipped hour the offset before the
    change, as on a camera whose clock was not put forward yet. The result has the other offset too. Historical offsets with
    seconds are rounded to minutes.
    """
    rules = _zone(zone)
    if rules is None:
        return None
    before = _minutes(clock.replace(tzinfo=rules, fold=0).utcoffset())
    after = _minutes(clock.replace(tzinfo=rules, fold=1).utcoffset())
    return ZoneOffset(before, None if before == after else after)


def offset_at(zone: str, seconds: float) -> ZoneOffset | None:
    """Return the offset at an instant (seconds since 1970), None for an unknown zone or outside the years 1 to 9999."""
    rules = _zone(zone)
    if rules is None:
        return None
    try:
        return ZoneOffset(_minutes((_EPOCH + timedelta(seconds=seconds)).astimezone(rules).utcoffset()))
    except (OverflowError, ValueError):
        return None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder of the zone database, an unknown name
        return None


def _minutes(offset: timedelta | None) -> int:
    return round((offset or timedelta()).total_seconds() / 60)
