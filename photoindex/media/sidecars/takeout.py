"""Reading the JSON files that Google Takeout writes next to each photo."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

from photoindex.media.metadata.findings import KEYWORD_LIMIT, Findings, clean_text
from photoindex.media.sidecars.common import BrokenSidecar, as_utf8
from photoindex.types import SidecarKind, SidecarRead

_PART_LIMIT = 50_000
"""Maximum number of objects and lists; real files have about ten, plus one per person or comment."""

_NUMBER_DIGITS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OtherJson(BrokenSidecar):
    """Valid JSON that is not an object, so it cannot be about a photo."""


def read_takeout(data: bytes) -> SidecarRead:
    """Return the date (UTC), position, description, people and favourite flag of one photo. Raises BrokenSidecar.

    Takeout writes unknown positions as latitude and longitude 0/0, and an unknown altitude as 0.
    """
    found = Findings("takeout")
    photo = parse_photo(as_utf8(data, found.note))
    _add_time(photo.get("photoTakenTime"), "taken_at", found)
    for block in ("geoData", "geoDataExif"):
        if _add_position(photo.get(block), found):
            break
    found.add("description", _text(photo.get("description")))
    people = photo.get("people")
    if isinstance(people, list):
        names = (_text(person.get("name")) for person in people if isinstance(person, dict))
        found.add("people", list(dict.fromkeys(name for name in names if name))[:KEYWORD_LIMIT])
    if photo.get("favorited") is True:
        found.add("favourite", 1)
    title = _text(photo.get("title")) or None
    return SidecarRead(SidecarKind.TAKEOUT, found.facts, title=title, notes=tuple(found.notes))


def parse_photo(text: bytes) -> dict[str, object]:
    """Return the members of one JSON object in UTF-8.

    Raises BrokenSidecar for damage, deep nesting and too many parts, OtherJson if it is not an object.
    """
    if text.count(b"{") + text.count(b"[") > _PART_LIMIT:
        raise BrokenSidecar(f"the JSON has more than {_PART_LIMIT} parts")
    try:
        photo = json.loads(
            text.decode("utf-8", "replace"), parse_int=_number, parse_float=_number, parse_constant=_no_number
        )
    except RecursionError:
        raise BrokenSidecar("the JSON is nested too deeply") from None
    except ValueError as error:
        raise BrokenSidecar(f"the JSON is damaged: {error}") from None
    if not isinstance(photo, dict):
        raise OtherJson("the JSON is not an object")
    return photo


def _number(digits: str) -> float:
    """Parse a number; NaN if it has more digits than any real value."""
    return float(digits) if len(digits) <= _NUMBER_DIGITS else math.nan


def _plain_number(value: object) -> float:
    """Return a JSON number; NaN for booleans and structures."""
    return value if isinstance(value, float) else math.nan


def _no_number(_: str) -> float:
    return math.nan


def _text(value: object) -> str:
    # JSON can escape half of a surrogate pair, which no database accepts.
    return clean_text(value.encode("utf-8", "replace").decode()) if isinstance(value, str) else ""


def _add_time(block: object, fact: str, found: Findings) -> None:
    timestamp = block.get("timestamp") if isinstance(block, dict) else None
    if timestamp is None or timestamp == "":
        return
    try:
        seconds = _number(timestamp.strip()) if isinstance(timestamp, str) else _plain_number(timestamp)
        time = _EPOCH + timedelta(seconds=math.floor(seconds))
    except (ValueError, OverflowError):
        found.refuse(fact, timestamp, "not a number of seconds since 1970")
        return
    if seconds == 0:
        found.refuse(fact, timestamp, "0 means that the time is unknown")
        return
    found.add_time(fact, time.isoformat(timespec="seconds"))


def _add_position(block: object, found: Findings) -> bool:
    """Add the position in one block; return whether it had one."""
    if not isinstance(block, dict):
        return False
    latitude, longitude, altitude = (block.get(name) for name in ("latitude", "longitude", "altitude"))
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)) or latitude == longitude == 0:
        return False
    found.add_position(latitude, longitude)
    if "latitude" not in found.facts:
        return False
    if isinstance(altitude, int | float) and altitude != 0:
        found.add_number("altitude_m", round(altitude, 3) if math.isfinite(altitude) else altitude, -12_000, 100_000)
    return True
