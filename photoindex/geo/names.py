"""Comparing place names and measuring distances on the earth."""

from __future__ import annotations

import math
import re

from photoindex.text import fold

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""

COUNTRY_ALIASES = {"usa": "us", "america": "us", "uk": "gb", "great britain": "gb", "holland": "nl", "uae": "ae"}
"""ISO 3166-1 codes of countries by common names other than the official English one."""

_NON_WORD = re.compile(r"[\W_]+")


def name_key(text: str) -> str:
    """Return a name's words without case and accents, separated by one space: `Saint-Étienne` is `saint etienne`."""
    return _NON_WORD.sub(" ", fold(text)).strip()


def spellings(name: str) -> set[str]:
    """Return the keys of other common spellings of an official name."""
    key = name_key(name)
    return {key.removesuffix(" city")} - {key, ""}


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance between two positions in degrees (haversine), also at poles and date line."""
    first, second = math.radians(latitude), math.radians(other_latitude)
    half_turn = math.radians(other_longitude - longitude) / 2
    squared = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(half_turn) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(squared)))


def point_km(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Convert a position to Cartesian coordinates in km from the earth's centre; preserves nearness."""
    latitude_radians, longitude_radians = math.radians(latitude), math.radians(longitude)
    radius = EARTH_RADIUS_KM * math.cos(latitude_radians)
    x, y = radius * math.cos(longitude_radians), radius * math.sin(longitude_radians)
    return x, y, EARTH_RADIUS_KM * math.sin(latitude_radians)
