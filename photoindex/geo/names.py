"""How names of places are compared, and how distances on the earth are measured."""

from __future__ import annotations

import math
import re

from photoindex.text import fold

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""

COUNTRY_ALIASES = {"usa": "us", "america": "us", "uk": "gb", "great britain": "gb", "holland": "nl", "uae": "ae"}
"""ISO 3166-1 codes of countries by what people write beside the official English name."""

_NOT_OF_WORDS = re.compile(r"[\W_]+")
_WITHOUT_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
)
"""Letters that are no letter with a mark in Unicode, but that people write as if they were."""


def name_key(text: str) -> str:
    """Return a name's words, without case and accents, one space between them: `Saint-Étienne` is `saint etienne`."""
    return _NOT_OF_WORDS.sub(" ", fold(text)).strip()


def spellings(name: str) -> set[str]:
    """Return the keys of other ways in which people write an official name."""
    key = name_key(name)
    plain = key.translate(_WITHOUT_STROKES)
    return {plain, plain.removesuffix(" city")} - {key, ""}


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance between two positions in degrees (haversine), exact at the poles and the date line."""
    first, second = math.radians(latitude), math.radians(other_latitude)
    half_turn = math.radians(other_longitude - longitude) / 2
    squared = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(half_turn) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(squared)))


def point_km(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Return a position as a point in space, in km from the earth's centre; what is near on the earth is near here."""
    up, round_axis = math.radians(latitude), math.radians(longitude)
    flat = EARTH_RADIUS_KM * math.cos(up)
    return flat * math.cos(round_axis), flat * math.sin(round_axis), EARTH_RADIUS_KM * math.sin(up)
