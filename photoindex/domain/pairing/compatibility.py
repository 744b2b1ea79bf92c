"""Whether two files can be of one moment and one camera, in words for a person."""

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
_FIRST_DAY = datetime(1, 1, 1)  # noqa: DTZ001 - wall time has no zone
_EPOCH_SECONDS = (datetime(1970, 1, 1) - _FIRST_DAY).total_seconds()  # noqa: DTZ001
_UTC_ENDS = ("Z", "+00:00")
_WORD = re.compile(r"[^\W_]+")
# What stands in the make of a camera in one program's words and not in another's.
_COMPANY_WORDS = frozenset(
    {
        "ag", "camera", "cameras", "co", "company", "corp", "corporation", "digital", "eastman", "electric", "electronics",
        "gmbh", "imaging", "inc", "ltd", "optical", "the",
    }
)  # fmt: skip
_TEXT_LIMIT_CHARACTERS = 80


class Agreement(Enum):
    """What two values say of each other."""

    AGREE = "agree"
    DIFFER = "differ"
    UNKNOWN = "unknown"
    UP_TO_ZONE = "up to zone"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer, and the part of a sentence that tells it."""

    agreement: Agreement
    words: str


def wall_seconds(member: Member) -> float | None:
    """Return the local wall time in seconds since year 1, None where there is none that can be read."""
    if member.taken_at is None:
        return None
    try:
        moment = datetime.fromisoformat(member.taken_at)
    except ValueError:
        return None
    return (moment.replace(tzinfo=None) - _FIRST_DAY).total_seconds()


def compare_times(first: Member, second: Member, *, tolerance_seconds: float) -> Comparison:
    """Say whether two files are of one time: by wall time, or by instant, or as far as an unknown zone lets one tell."""
    tolerance = tolerance_seconds + _ROUNDING_SECONDS
    walls = _comparable_wall(first), _comparable_wall(second)
    instants = first.taken_at_utc, second.taken_at_utc
    gaps = [abs(pair[0] - pair[1]) for pair in (walls, instants) if pair[0] is not None and pair[1] is not None]
    if gaps:
        gap = min(gaps)
        if gap <= _ROUNDING_SECONDS:
            return Comparison(Agreement.AGREE, f"the same time ({_time_of(first, second)})")
        if gap <= tolerance:
            return Comparison(Agreement.AGREE, f"times {span(gap)} apart ({_time_of(first, second)})")
        return Comparison(Agreement.DIFFER, f"their times differ by {span(gap)}")
    for wall, instant in ((walls[0], instants[1]), (walls[1], instants[0])):
        if wall is not None and instant is not None:
            return _compare_across_zones(wall - _EPOCH_SECONDS - instant, tolerance)
    without = [
        _named(member) for member, wall in ((first, walls[0]), (second, walls[1])) if not _has_time(member, wall)
    ]
    if len(without) == 1:
        return Comparison(Agreement.UNKNOWN, f"{without[0]} has no time of its own")
    return Comparison(Agreement.UNKNOWN, "neither has a time of its own")


def compare_cameras(first: Member, second: Member) -> Comparison:
    """Say whether two files are of one camera, by make and model, and by serial number where both have one."""
    if first.camera is None or second.camera is None:
        return Comparison(Agreement.UNKNOWN, "the camera is not known of both")
    words = camera_words(first.camera), camera_words(second.camera)
    if not _same_camera(*words):
        cameras = f"{camera_text(first.camera)} and {camera_text(second.camera)}"
        return Comparison(Agreement.DIFFER, f"their cameras differ ({cameras})")
    if first.serial and second.serial and serial_key(first.serial) != serial_key(second.serial):
        serials = f"{printable(first.serial)} and {printable(second.serial)}"
        return Comparison(Agreement.DIFFER, f"the serial numbers of their cameras differ ({serials})")
    return Comparison(Agreement.AGREE, f"the same camera ({camera_text(first.camera)})")


def camera_words(camera: str) -> tuple[str, ...]:
    """Return make and model as the words that tell cameras apart, each once, in lower case."""
    words = _WORD.findall(camera.lower())
    return tuple(dict.fromkeys(word for word in words if word not in _COMPANY_WORDS))


def camera_text(camera: str) -> str:
    """Return make and model for a sentence, a make that the model repeats once."""
    return printable(" ".join(dict.fromkeys(camera.split())))


def serial_key(serial: str) -> str:
    """Return a serial number as programs agree on it: without leading zeros and spaces, in lower case."""
    return serial.strip().lower().lstrip("0")


def span(seconds: float) -> str:
    """Return a length of time as a person would say it: 0.4 s, 95 s, 12 min, 3 h 2 min, 17 days."""
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
    """Return a text of a file's own as it may stand in a sentence: without control characters, not too long."""
    shown = display(text.strip().encode("utf-8", "surrogatepass"))
    return shown if len(shown) <= _TEXT_LIMIT_CHARACTERS else shown[: _TEXT_LIMIT_CHARACTERS - 1] + "…"


def _compare_across_zones(offset_seconds: float, tolerance_seconds: float) -> Comparison:
    step = round(offset_seconds / _ZONE_STEP_SECONDS) * _ZONE_STEP_SECONDS
    if abs(step) <= _ZONE_LIMIT_SECONDS and abs(offset_seconds - step) <= tolerance_seconds:
        return Comparison(Agreement.UP_TO_ZONE, "the same time as far as one without its zone can tell")
    return Comparison(Agreement.DIFFER, "their times differ, whatever the zone")


def _same_camera(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    shorter, longer = sorted((first, second), key=len)
    if not shorter:
        return True
    # A model without its make ends the other; a make without its model begins it.
    return longer[-len(shorter) :] == shorter or (len(shorter) == 1 and longer[0] == shorter[0])


def _comparable_wall(member: Member) -> float | None:
    """The wall time, but for a movie whose container counts in UTC: that is an instant and no clock on a wall."""
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
