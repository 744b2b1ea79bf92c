"""Find photos by where they were taken: by place names, or by distance from a position."""

from __future__ import annotations

import math
import re

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from photoindex.geo.names import COUNTRY_ALIASES, EARTH_RADIUS_KM, name_key
from photoindex.geo.source import country_names
from photoindex.store.engine.statements import distance_km, position_of, regex_found
from photoindex.store.schema.tables import photo, place

_MARGIN_DEGREES = 1e-7
"""About a centimetre, so that rounding excludes no photo from the box."""


def by_place(value: str) -> ColumnElement[bool]:
    """Match place names: whole words of city, region and country, or a whole name of the city in any language.

    `*` matches the rest of a word, or any part of a name in another language. A two-letter country code matches only
    the country (`de` does not match Rio de Janeiro). Parts separated by commas must all match: "Paris, Texas".
    """
    parts = [part for part in map(_key, value.split(",")) if part]
    if not parts:
        return false()
    return photo.c.place_id.in_(select(place.c.id).where(*map(_is_named, parts)))


def _key(value: str) -> str:
    return "*".join(name_key(piece) for piece in value.split("*"))


def _is_named(key: str) -> ColumnElement[bool]:
    code = COUNTRY_ALIASES.get(key, key).upper()
    if len(code) == 2 and code in country_names():
        return or_(place.c.country_code == code, func.lower(place.c.city) == key)
    if "*" not in key:
        return or_(position_of(place.c.words, f" {key} ") > 0, position_of(place.c.alternates, f"\n{key}\n") > 0)
    pieces = [re.escape(piece) for piece in key.split("*")]
    in_words = f"(?<![^ ]){'[^ ]*'.join(pieces)}(?![^ ])"
    in_alternates = f"(?m)^{'.*'.join(pieces)}$"
    return or_(
        regex_found(in_words, place.c.words),
        regex_found(in_alternates, place.c.alternates),
    )


def is_near(latitude: float, longitude: float, radius_km: float) -> ColumnElement[bool]:
    """Match photos within `radius_km` (great circle) of a position in degrees; correct at the poles and the date line.

    The index on the position finds photos in the box around the circle. Only for these the distance is computed, by an
    engine function.
    """
    away_km = distance_km(photo.c.latitude, photo.c.longitude, latitude, longitude)
    return and_(_in_box(latitude, longitude, radius_km), away_km <= radius_km)


def _in_box(latitude: float, longitude: float, radius_km: float) -> ColumnElement[bool]:
    radius = radius_km / EARTH_RADIUS_KM
    reach = math.degrees(radius) + _MARGIN_DEGREES
    south, north = latitude - reach, latitude + reach
    within = and_(photo.c.latitude >= south, photo.c.latitude <= north)
    if south <= -90 or north >= 90:
        return within  # a pole is inside, so every longitude is
    # Longitudes of the meridians tangent to the circle; they touch it closer to the pole than its centre.
    width = math.degrees(math.asin(math.sin(radius) / math.cos(math.radians(latitude)))) + _MARGIN_DEGREES
    return and_(within, _between(longitude - width, longitude + width))


def _between(west: float, east: float) -> ColumnElement[bool]:
    column = photo.c.longitude
    if east - west >= 360:
        return true()
    if west < -180:
        return or_(column >= west + 360, column <= east)
    if east > 180:
        return or_(column >= west, column <= east - 360)
    return and_(column >= west, column <= east)
