"""Parse the value of `near:`: a position or a place name, and a distance around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from photoindex.query.syntax import Lookups

DEFAULT_KM = 10.0
MAX_KM = 20_100.0
"""A little more than half of the earth's circumference: no two points are further apart."""
MAX_NAME_CHARACTERS = 200

_DISTANCE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(km|m|mi)", re.IGNORECASE)
_LOOKS_LIKE_DISTANCE = re.compile(r"[+-]?[0-9.]+\s*[^\W\d_]*|[+-]?(?:nan|inf)(?:km|m|mi)", re.IGNORECASE)
_UNIT_KM = {"km": 1.0, "m": 0.001, "mi": 1.609344}
_DEGREES = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?")
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the earth: centre in degrees WGS 84, radius in kilometres."""

    latitude: float
    longitude: float
    km: float


def read_near(value: str, context: str | None = None) -> Circle:
    """Parse `LATITUDE,LONGITUDE[,DISTANCE]`, or `NAME[,DISTANCE]` with the position from the context.

    Raises ValueError with a message for the user.
    """
    where, km = _split(value)
    parts = [part.strip() for part in (where if context is None else context.partition(" ")[0]).split(",")]
    if len(parts) != 2:
        raise ValueError("a position or a place is needed, such as near:38.7,-9.1,30km or near:Lisbon,30km")
    return Circle(_degrees("latitude", parts[0], 90), _degrees("longitude", parts[1], 180), km)


def _degrees(what: str, text: str, most: int) -> float:
    if not _DEGREES.fullmatch(text):
        raise ValueError(f"'{text}' is not a {what}; decimal degrees are needed, such as near:38.7,-9.1,30km")
    if not -most <= float(text) <= most:
        raise ValueError(f"the {what} {text} is out of range; it must be from -{most} to {most}")
    return float(text)


def check_near(value: str, lookups: Lookups) -> str | None:
    """Return `LATITUDE,LONGITUDE NAME` (degrees and the full name) for a place name, None for a position.

    Raises ValueError like `read_near`.
    """
    where, _ = _split(value)
    if len(where) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a place name can have at most {MAX_NAME_CHARACTERS} characters")
    # Nan alone is the name of a town in Thailand.
    if _NUMBER.fullmatch(where) or ("," in where and all(map(_is_coordinate, where.split(",")))):
        read_near(value)
        return None
    latitude, longitude, name = lookups.place(where)
    return f"{latitude:.6f},{longitude:.6f} {name}"


def name_of(context: str) -> str:
    """Return the full name of the place from a context that `check_near` returned."""
    return context.partition(" ")[2]


def _is_coordinate(part: str) -> bool:
    return (_NUMBER.fullmatch(part.strip()) or _NOT_FINITE.fullmatch(part.strip())) is not None


def _split(value: str) -> tuple[str, float]:
    """Split off the distance; return the text before it and the distance in kilometres."""
    where, comma, last = (part.strip() for part in value.rpartition(","))
    if not comma:
        if _DISTANCE.fullmatch(last):
            raise ValueError("a position or a place is needed before the distance, as in near:Lisbon,30km")
        return last, DEFAULT_KM
    distance = _DISTANCE.fullmatch(last)
    if distance is None:
        is_position = _is_coordinate(where) and _is_coordinate(last)
        if _LOOKS_LIKE_DISTANCE.fullmatch(last) and not is_position:
            raise ValueError(f"'{last}' is not a distance; a number with km, m or mi is needed, such as 30km")
        return value.strip(), DEFAULT_KM
    km = float(distance[1]) * _UNIT_KM[distance[2].lower()]
    if not 0 < km <= MAX_KM:
        raise ValueError(f"the distance '{last}' must be more than 0 and at most {MAX_KM:,.0f} km")
    return where, km
