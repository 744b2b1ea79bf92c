"""Place names of positions, and positions of named places, offline.

How a position gets its name: each place is treated as a disc with a radius derived from its population, at most 3 km,
and the place with the nearest edge is chosen, so that a hamlet 300 m closer does not win over the surrounding city. If
the full disc of a place with at least four times the population covers the position, and that place is in the same
county, or in no county but in the same region (New York, Tokyo), it is used instead: people say Lisbon, not Intendente.
Only places in the country of the time zone at the position, or in the same zone, are considered, because a town across
the border is often nearer. If none of them is near enough, the position is in that country and in no town.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from photoindex.domain.time.zones import zone_at
from photoindex.geo.database import DAMAGED, PlacesFile, default_folder, open_places, remove_places, reported_errors
from photoindex.geo.names import COUNTRY_ALIASES, distance_km, name_key, point_km, spellings
from photoindex.geo.source import ZoneCountry, country_names, zone_countries

NEAREST_KM = 100.0
EDGE_MAX_KM = 3.0
CITY_MAX_KM = 20.0
PEOPLE_PER_KM2 = 10_000
"""Population density of the built-up part of a city."""
TIMES_LARGER = 4
OFFICIAL_WEIGHT = 10
"""A match of the official name counts as if the place had this many times its population."""

_FIRST_RADIUS_KM = 8.0
_SUGGESTIONS = 3
_PLACES = (
    "SELECT id, city, region, county, country, country_code, latitude, longitude, population, district, region_number,"
    " region_code, alternates FROM place WHERE "
)
_BY_ID = _PLACES + "id = ?"
_BY_NAME = _PLACES + "id IN (SELECT place_id FROM name WHERE name = ?)"  # noqa: S608 - constants
_LARGER_AROUND = (
    _PLACES + "district = ?1 AND population >= ?3 OR independent AND region_number = ?2 AND population >= ?3"
)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class GazetteerPlace:
    """One place; degrees WGS 84; `words` and `alternates` as in the columns of the table `place`.

    city: empty where only the country is known; the position is then that of the time zone's principal place.
    """

    city: str
    region: str | None
    country: str
    country_code: str
    latitude: float
    longitude: float
    population: int
    words: str
    alternates: str


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    city: str
    region: str | None
    county: str | None
    country: str
    country_code: str
    latitude: float
    longitude: float
    population: int
    district: int
    region_number: int
    region_code: str | None
    alternates: str

    def as_place(self) -> GazetteerPlace:
        words = name_key(" ".join([self.city, self.region or "", self.country]))
        return GazetteerPlace(
            self.city, self.region, self.country, self.country_code, self.latitude, self.longitude, self.population,
            words=f" {words} ", alternates=self.alternates,
        )  # fmt: skip


class Gazetteer:
    """The places of the world, from a file in the user's cache (or in `folder`) that is created on first use.

    Creating it takes a few seconds, once per version of the data; `progress` is called with a message. Opening it takes
    about a millisecond. Use it from one thread at a time. All methods raise DatabaseFailed if the data is not
    installed, and StorageFull if no disk has room for the table.
    """

    def __init__(self, folder: Path | None = None, *, progress: Callable[[str], None] | None = None) -> None:
        self._folder = folder
        self._progress = progress
        self._connection: PlacesFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the next query opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def open(self) -> None:
        """Open the file, creating it if missing; queries do this implicitly, perhaps at an inconvenient time."""
        self._query(lambda _connection: None)

    def nearest(self, latitude: float, longitude: float, within_km: float = NEAREST_KM) -> GazetteerPlace | None:
        """Return the place that people would name for a position in degrees; only the country if none is within `within_km`.

        None at sea far from any place, and for an invalid position (not finite, or beyond a pole). The longitude may be
        outside -180 to 180.
        """
        if not (math.isfinite(longitude) and math.isfinite(within_km) and -90 <= latitude <= 90):
            return None
        return self._query(lambda connection: _nearest(connection, latitude, longitude, within_km))

    def find(self, text: str) -> GazetteerPlace | None:
        """Return the place with a name, ignoring case and accents; of several the one with the largest population.

        Names in other languages match too. A region or country, or its code, may follow: "Paris, Texas",
        "Springfield, US". None for unknown names and for names of countries.
        """
        name, *qualifiers = (name_key(part) for part in text.split(","))
        if not name:
            return None
        return self._query(lambda connection: _find(connection, name, [part for part in qualifiers if part]))

    def suggest(self, text: str) -> list[str]:
        """Return up to three known names similar to `text`, best first."""
        name = name_key(text.partition(",")[0])
        return self._query(lambda connection: _suggest(connection, name)) if name else []

    def refusal(self, text: str) -> str:
        """Return the error message for a name that `find` does not know, with what to write instead."""
        code = _country_code(name_key(text))
        if code is not None:
            capital = self._query(lambda connection: _largest_city(connection, code))
            example = f", such as {capital}" if capital else ""
            return f"'{text}' is a country, not a point; write one of its cities{example}"
        near = self.suggest(text)
        if near:
            return f"no place is called '{text}'; did you mean {' or '.join(near)}?"
        return f"no place is called '{text}'; write a city, or a position such as 38.7,-9.1"

    def _query(self, query: Callable[[PlacesFile], _Result]) -> _Result:
        """Run a query on the file; a damaged file is recreated once."""
        try:
            return query(self._open())
        except DAMAGED:
            self.close()
        folder = self._folder or default_folder()
        remove_places(folder)
        with reported_errors(folder):
            return query(self._open())

    def _open(self) -> PlacesFile:
        if self._connection is None:
            self._connection = open_places(self._folder or default_folder(), self._progress)
        return self._connection


def _nearest(connection: PlacesFile, latitude: float, longitude: float, within_km: float) -> GazetteerPlace | None:
    zone = zone_at(latitude, (longitude + 180) % 360 - 180)
    country = zone_countries().get(zone or "")
    radius_km = min(_FIRST_RADIUS_KM, within_km)
    while True:
        best = min(_candidates(connection, latitude, longitude, radius_km, zone), default=None)
        # Places outside the radius have edges further away than this, so the best inside is the overall best.
        if best is not None and best[0] <= radius_km - EDGE_MAX_KM:
            break
        if radius_km >= within_km:
            break
        radius_km = min(radius_km * 4, within_km)
    if best is None:
        return None if country is None else _country_alone(country)
    (row,) = _rows(connection, _BY_ID, best[3])
    people = max(1, TIMES_LARGER * row.population)
    covering = (
        larger
        for larger in _rows(connection, _LARGER_AROUND, row.district, row.region_number, people)
        if distance_km(latitude, longitude, larger.latitude, larger.longitude)
        <= min(radius_km_of(larger.population), CITY_MAX_KM, within_km)
    )
    return max(covering, key=lambda larger: larger.population, default=row).as_place()


def _country_alone(country: ZoneCountry) -> GazetteerPlace:
    words = f" {name_key(country.country)} "
    return GazetteerPlace("", None, *country, population=0, words=words, alternates="")


def _candidates(
    connection: PlacesFile, latitude: float, longitude: float, radius_km: float, zone: str | None
) -> list[tuple[float, float, int, int]]:
    """Return (distance to the edge, distance, -population, id) of the places within `radius_km` that the zone allows."""
    x, y, z = point_km(latitude, longitude)
    # The straight line is never longer than the great circle, so a cube of that radius contains all places within it.
    found = connection.execute(
        "SELECT latitude, longitude, population, id, country_code FROM box JOIN place ON place.id = box.place_id"
        " WHERE east >= ? AND west <= ? AND north >= ? AND south <= ? AND top >= ? AND bottom <= ?",
        (x - radius_km, x + radius_km, y - radius_km, y + radius_km, z - radius_km, z + radius_km),
    )
    country = zone_countries().get(zone or "")
    candidates = []
    for place_latitude, place_longitude, population, place_id, code in found:
        away_km = distance_km(latitude, longitude, place_latitude, place_longitude)
        if away_km > radius_km:
            continue
        # The same zone counts too: zone.tab has one country a zone, but Kosovo shares Serbia's.
        if country is None or code == country.country_code or zone_at(place_latitude, place_longitude) == zone:
            edge_km = away_km - min(radius_km_of(population), EDGE_MAX_KM)
            candidates.append((edge_km, away_km, -population, place_id))
    return candidates


def radius_km_of(population: int) -> float:
    """Return the radius of a disc in which that many people live at city density."""
    return math.sqrt(population / (math.pi * PEOPLE_PER_KM2))


def _find(connection: PlacesFile, name: str, qualifiers: list[str]) -> GazetteerPlace | None:
    rows = [row for row in _rows(connection, _BY_NAME, name) if _qualifies(row, qualifiers)]
    if not rows:
        return None
    best = max(rows, key=lambda row: _weight(row, name))
    code = _country_code(name)
    if code is not None and not qualifiers and (best.country_code != code or name_key(best.city) != name):
        return None
    return best.as_place()


def _weight(row: _Row, name: str) -> tuple[int, int]:
    official = name_key(row.city) == name
    return max(1, row.population) * (OFFICIAL_WEIGHT if official else 1), -row.id


def _qualifies(row: _Row, qualifiers: list[str]) -> bool:
    known = {
        name_key(part) for part in (row.region, row.county, row.country, row.country_code, row.region_code) if part
    }
    known |= {spelling for part in (row.region, row.country) if part for spelling in spellings(part)}
    return all(COUNTRY_ALIASES.get(qualifier, qualifier) in known for qualifier in qualifiers)


def _country_code(name: str) -> str | None:
    codes = {name_key(country): code for code, country in country_names().items()}
    alias = COUNTRY_ALIASES.get(name)
    return codes.get(name) or (alias.upper() if alias else None)


def _largest_city(connection: PlacesFile, country_code: str) -> str | None:
    statement = "SELECT city FROM place WHERE country_code = ? ORDER BY population DESC LIMIT 1"
    found = connection.execute(statement, [country_code]).fetchone()
    return None if found is None else str(found[0])


def _suggest(connection: PlacesFile, name: str) -> list[str]:
    for start in (name[:3], name[:1]):
        rows = connection.execute(
            "SELECT name.name, city FROM name JOIN place ON place.id = place_id"
            " WHERE name.name >= ? AND name.name < ? AND length(name.name) BETWEEN ? AND ?"
            " ORDER BY population DESC LIMIT 4000",
            (start, start + "\U0010ffff", len(name) - 2, len(name) + 3),
        )
        cities: dict[str, str] = {}
        for known, city in rows:
            cities.setdefault(known, city)
        near = get_close_matches(name, cities, n=2 * _SUGGESTIONS, cutoff=0.7)
        if near:
            return list(dict.fromkeys(cities[known] for known in near))[:_SUGGESTIONS]
    return []


def _rows(connection: PlacesFile, statement: str, *values: object) -> list[_Row]:
    return [_Row(*row) for row in connection.execute(statement, values)]
