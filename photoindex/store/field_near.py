"""Read what stands behind `near:`: a position or the name of a place, and how far around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from photoindex.syntax import Lookups

DEFAULT_KM = 10.0
MAX_KM = 20_100.0
"""A little more than half of the earth's circumference: no two points are further apart."""
MAX_NAME_CHARACTERS = 200

_DISTANCE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,4})?)\s*(km|m|mi)", re.IGNORECASE)
_UNIT_KM = {"km": 1.0, "m": 0.001, "mi": 1.609344}
_POSITION = re.compile(r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?)\s*,\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?)")
_NUMBER = re.compile(r"[+-]?[0-9.]+")


@dataclass(frozen=True, slots=True)
class Circle:
    """An area on the earth: degrees WGS 84 and the radius in kilometres."""

    latitude: float
    longitude: float
    km: float


def read_near(value: str, context: str | None = None) -> Circle:
    """Read `LATITUDE,LONGITUDE[,DISTANCE]` or `NAME[,DISTANCE]`, whose position is then the context.

    Raises ValueError with a sentence for the user.
    """
    where, km = _split(value)
    position = _POSITION.fullmatch(where if context is None else context)
    if position is None:
        raise ValueError("a position or a place is needed, such as near:38.7,-9.1,30km or near:Lisbon,30km")
    latitude, longitude = float(position[1]), float(position[2])
    if not -90 <= latitude <= 90:
        raise ValueError(f"there is no latitude {position[1]}; latitudes go from -90 to 90")
    if not -180 <= longitude <= 180:
        raise ValueError(f"there is no longitude {position[2]}; longitudes go from -180 to 180")
    return Circle(latitude, longitude, km)


def check_near(value: str, lookups: Lookups) -> str | None:
    """Return the position of a named place, None for a value that is a position itself. Raises ValueError as `read_near`."""
    where, _ = _split(value)
    if len(where) > MAX_NAME_CHARACTERS:
        raise ValueError(f"the name of a place has at most {MAX_NAME_CHARACTERS} characters")
    if all(_NUMBER.fullmatch(part.strip()) for part in where.split(",")):
        read_near(value)
        return None
    latitude, longitude = lookups.place(where)
    return f"{latitude:.6f},{longitude:.6f}"


def _split(value: str) -> tuple[str, float]:
    """Return what stands before the distance, and the distance in kilometres."""
    where, comma, last = value.rpartition(",")
    distance = _DISTANCE.fullmatch(last.strip())
    if not comma or distance is None:
        if _DISTANCE.fullmatch(value.strip()):
            raise ValueError("a position or a place stands before the distance, as in near:Lisbon,30km")
        return value.strip(), DEFAULT_KM
    km = float(distance[1]) * _UNIT_KM[distance[2].lower()]
    if not 0 < km <= MAX_KM:
        raise ValueError(f"a distance is more than nothing and at most {MAX_KM:,.0f} km")
    return where.strip(), km
