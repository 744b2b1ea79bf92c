"""What Google Photos says of a photo in the JSON file that Takeout lays beside it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

from photoindex.domain.time.dates import DateError, iso_time
from photoindex.media.metadata.findings import KEYWORD_LIMIT, Findings, clean_text
from photoindex.media.sidecars.problem import BrokenSidecar, as_utf8
from photoindex.types import SidecarKind, SidecarRead

_MOST_PARTS = 50_000
"""Objects and lists; real files have about ten, and one more a person or comment."""

_NUMBER_DIGITS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OtherJson(BrokenSidecar):
    """Sound JSON that is no object, as no program writes it of a photo."""


def read_takeout(data: bytes) -> SidecarRead:
    """Return the date (UTC), position, description, people and favourite flag of one photo. Raises BrokenSidecar.

    Latitude and longitude 0/0, and an altitude of 0, stand for unknown in these files.
    """
    photo = parse_photo(as_utf8(data))
    found = Findings("takeout")
    _add_time(photo.get("photoTakenTime"), "taken_at", found)
    for block in ("geoData", "geoDataExif"):
        if _add_place(photo.get(block), found):
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

    Raises BrokenSidecar for damage, deep nesting and too many parts, OtherJson for what is no object.
    """
    if text.count(b"{") + text.count(b"[") > _MOST_PARTS:
        raise BrokenSidecar(f"the JSON has more than {_MOST_PARTS} parts")
    try:
        photo = json.loads(
            text.decode("utf-8", "replace"), parse_int=_number, parse_float=_number, parse_constant=_no_number
        )
    except RecursionError:
        raise BrokenSidecar("the JSON is nested too deeply") from None
    except ValueError as error:
        raise BrokenSidecar(f"the JSON is damaged: {error}") from None
    if not isinstance(photo, dict):
        raise OtherJson("the JSON is no object")
    return photo


def _number(digits: str) -> float:
    """Return a finite number; a longer one than any true value is none at all."""
    return float(digits) if len(digits) <= _NUMBER_DIGITS else math.nan


def _plain_number(value: object) -> float:
    """Return a number of the JSON as it is; true, false and structures are none."""
    return value if isinstance(value, float) else math.nan


def _no_number(_: str) -> float:
    return math.nan


def _text(value: object) -> str:
    # JSON can escape half of a surrogate pair, which no database takes.
    return clean_text(value.encode("utf-8", "replace").decode()) if isinstance(value, str) else ""


def _add_time(block: object, fact: str, found: Findings) -> None:
    stated = block.get("timestamp") if isinstance(block, dict) else None
    if stated is None or stated == "":
        return
    try:
        seconds = _number(stated.strip()) if isinstance(stated, str) else _plain_number(stated)
        when = _EPOCH + timedelta(seconds=math.floor(seconds))
    except (ValueError, OverflowError):
        found.refuse(fact, stated, "not a count of seconds since 1970")
        return
    if seconds == 0:
        found.refuse(fact, stated, "0 stands for an unknown time")
        return
    try:
        found.add(fact, iso_time(when.isoformat(timespec="seconds")))
    except DateError as error:
        found.refuse(fact, stated, str(error))


def _add_place(block: object, found: Findings) -> bool:
    """Add the position of one block; tell whether it gave one."""
    if not isinstance(block, dict):
        return False
    latitude, longitude, altitude = (block.get(name) for name in ("latitude", "longitude", "altitude"))
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)) or latitude == longitude == 0:
        return False
    found.add_position(latitude, longitude, trust_zero=False)
    if "latitude" not in found.facts:
        return False
    if isinstance(altitude, int | float) and altitude != 0:
        found.add_number("altitude_m", round(altitude, 3) if math.isfinite(altitude) else altitude, -12_000, 100_000)
    return True
