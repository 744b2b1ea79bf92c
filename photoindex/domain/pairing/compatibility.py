"""Deciding whether two files can be from the same moment and camera, with a phrase for the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from photoindex.domain.pairing.values import Member
from photoindex.paths import display
from photoindex.types import Kind

_ROUNDING_SECONDS = 1e-3
_ZONE_STEP_SECONDS = 900.0  # offsets from UTC are whole quarters of an hour
_ZONE_LIMIT_SECONDS = 14 * 3600.0  # Kiribati, UTC+14
_FIRST_DAY = datetime(1, 1, 1)  # noqa: DTZ001 - local time has no zone
_EPOCH_SECONDS = (datetime(1970, 1, 1) - _FIRST_DAY).total_seconds()  # noqa: DTZ001
_UTC_ENDS = ("Z", "+00:00")
_WORD = re.compile(r"[^\W_]+")
# Words in a camera's make that some programs write and others do not.
_COMPANY_WORDS = frozenset(
    {
        "ag", "camera", "cameras", "co", "company", "corp", "corporation", "digital", "eastman", "electric", "electronics",
        "gmbh", "imaging", "inc", "ltd", "optical", "the",
    }
)  # fmt: skip
_TEXT_LIMIT_CHARACTERS = 80


class Compatibility(Enum):
    """Result of comparing two values."""

    AGREE = "agree"
    DIFFER = "differ"
    UNKNOWN = "unknown"
    UP_TO_ZONE = "up to zone"


@dataclass(frozen=True, slots=True)
class FactComparison:
    """Result of a comparison, and the phrase that describes it."""

    agreement: Compatibility
    words: str


def wall_seconds(member: Member) -> float | None:
    """Return the local time in seconds since year 1, None if it is missing or invalid."""
    if member.taken_at is None:
        return None
    try:
        moment = datetime.fromisoformat(member.taken_at)
    except ValueError:
        return None
    return (moment.replace(tzinfo=None) - _FIRST_DAY).total_seconds()


def compare_times(first: Member, second: Member, *, tolerance_seconds: float) -> FactComparison:
    """Compare the times of two files by local time, by instant, or up to an unknown time zone."""
    tolerance = tolerance_seconds + _ROUNDING_SECONDS
    walls = _comparable_wall(first), _comparable_wall(second)
    instants = first.taken_at_utc, second.taken_at_utc
    gaps = [abs(pair[0] - pair[1]) for pair in (walls, instants) if pair[0] is not None and pair[1] is not None]
    if gaps:
        gap = min(gaps)
        if gap <= _ROUNDING_SECONDS:
            return FactComparison(Compatibility.AGREE, f"the same time ({_time_of(first, second)})")
        if gap <= tolerance:
            return FactComparison(Compatibility.AGREE, f"times {span(gap)} apart ({_time_of(first, second)})")
        return FactComparison(Compatibility.DIFFER, f"their times differ by {span(gap)}")
    for wall, instant in ((walls[0], instants[1]), (walls[1], instants[0])):
        if wall is not None and instant is not None:
            return _compare_across_zones(wall - _EPOCH_SECONDS - instant, tolerance)
    without = [
        _named(member) for member, wall in ((first, walls[0]), (second, walls[1])) if not _has_time(member, wall)
    ]
    if len(without) == 1:
        return FactComparison(Compatibility.UNKNOWN, f"{without[0]} has no embedded time")
    return FactComparison(Compatibility.UNKNOWN, "neither has an embedded time")


def compare_cameras(first: Member, second: Member) -> FactComparison:
    """Compare the cameras of two files by make and model, and by serial number if both have one."""
    if first.camera is None or second.camera is None:
        return FactComparison(Compatibility.UNKNOWN, "the camera of at least one is unknown")
    words = camera_words(first.camera), camera_words(second.camera)
    if not _same_camera(*words):
        cameras = f"{camera_text(first.camera)} and {camera_text(second.camera)}"
        return FactComparison(Compatibility.DIFFER, f"their cameras differ ({cameras})")
    if first.serial and second.serial and serial_key(first.serial) != serial_key(second.serial):
        serials = f"{printable(first.serial)} and {printable(second.serial)}"
        return FactComparison(Compatibility.DIFFER, f"the serial numbers of their cameras differ ({serials})")
    return FactComparison(Compatibility.AGREE, f"the same camera ({camera_text(first.camera)})")


def camera_words(camera: str) -> tuple[str, ...]:
    """Return the distinctive words of make and model, each once, in lower case."""
    words = _WORD.findall(camera.lower())
    return tuple(dict.fromkeys(word for word in words if word not in _COMPANY_WORDS))


def camera_text(camera: str) -> str:
    """Return make and model for display, without repeating the make."""
    return printable(" ".join(dict.fromkeys(camera.split())))


def serial_key(serial: str) -> str:
    """Return a serial number normalised for comparison: without leading zeros and spaces, in lower case."""
    return serial.strip().lower().lstrip("0")


def span(seconds: float) -> str:
    """Format a duration for display: 0.4 s, 95 s, 12 min, 3 h 2 min, 17 days."""
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24:,} days"


def printable(text: str) -> str:
    """Return text from a file fit for a message: without control characters, limited in length."""
    shown = display(text.strip().encode("utf-8", "surrogatepass"))
    return shown if len(shown) <= _TEXT_LIMIT_CHARACTERS else shown[: _TEXT_LIMIT_CHARACTERS - 1] + "…"


def _compare_across_zones(offset_seconds: float, tolerance_seconds: float) -> FactComparison:
    step = round(offset_seconds / _ZONE_STEP_SECONDS) * _ZONE_STEP_SECONDS
    if abs(step) <= _ZONE_LIMIT_SECONDS and abs(offset_seconds - step) <= tolerance_seconds:
        return FactComparison(Compatibility.UP_TO_ZONE, "the same time up to an unknown time zone")
    return FactComparison(Compatibility.DIFFER, "their times differ in any time zone")


def _same_camera(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    shorter, longer = sorted((first, second), key=len)
    if not shorter:
        return True
    # A model without a make is the end of the other, a make without a model the beginning.
    return longer[-len(shorter) :] == shorter or (len(shorter) == 1 and longer[0] == shorter[0])


def _comparable_wall(member: Member) -> float | None:
    """Return the local time, None for a movie whose container has UTC, which is an instant and not a local time."""
    utc = member.kind is Kind.VIDEO and member.taken_at_utc is not None and (member.taken_at or "").endswith(_UTC_ENDS)
    return None if utc else wall_seconds(member)


def _has_time(member: Member, wall: float | None) -> bool:
    return wall is not None or member.taken_at_utc is not None


def _time_of(first: Member, second: Member) -> str:
    for member in (first, second):
        if wall_seconds(member) is not None:
            return printable((member.taken_at or "").replace("T", " ")[:19])
    return "by the same clock"


def _named(member: Member) -> str:
    return display(member.name)
