"""The places of photos as rows, and what `place:` and `near:` find, in a real database."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from photoindex.geo.gazetteer import GazetteerPlace
from photoindex.geo.names import distance_km, name_key
from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.photos.places import display, ensure_place
from photoindex.store.schema.tables import photo, place
from photoindex.store.search.places import is_near
from tests.rows import VolumeRows, library_in


def a_place(city: str, region: str | None, country: str, code: str, *alternates: str) -> GazetteerPlace:
    words = name_key(" ".join([city, region or "", country]))
    lines = "\n".join(["", *map(name_key, alternates), ""]) if alternates else ""
    return GazetteerPlace(city, region, country, code, 1.0, float(len(city)), 1000, f" {words} ", lines)


LISBON = a_place("Lisbon", "Lisbon", "Portugal", "PT", "Lisboa", "Lissabon", "里斯本")
PLACES = {
    "lisbon": LISBON,
    "porto": a_place("Porto", "Porto", "Portugal", "PT", "Oporto"),
    "rio": a_place("Rio de Janeiro", "Rio de Janeiro", "Brazil", "BR", "Rio", "Sebastianopolis"),
    "munich": a_place("Munich", "Bavaria", "Germany", "DE", "München", "Monaco di Baviera", "Wien am Meer"),
    "paris": a_place("Paris", "Texas", "United States", "US"),
    "bath": a_place("Bath", "England", "United Kingdom", "GB"),
    "etienne": a_place("Saint-Étienne", "Auvergne-Rhône-Alpes", "France", "FR"),
    "lord howe": a_place("", None, "Australia", "AU"),
    "au": a_place("Au", "Saint Gallen", "Switzerland", "CH"),
}
NAMES = (*PLACES, "nowhere")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with one photo in each of the places above, and one without a place."""
    folder = tmp_path_factory.mktemp("places")
    with library_in(folder / "library") as library:
        volume_rows = VolumeRows(library, folder / "originals")
        with library.database.write() as connection:
            ids = {name: ensure_place(connection, one) for name, one in PLACES.items()}
        for name in NAMES:
            photo_id = volume_rows.add_photo(place_id=ids.get(name))
            volume_rows.add_file(f"{name}.jpg", asset_id=volume_rows.asset_of(photo_id), create=False)
        yield library


@pytest.mark.parametrize(
    ("query", "names"),
    [
        # whole words of city, region and country
        ("place:lisbon", {"lisbon"}),
        ("place:PORTUGAL", {"lisbon", "porto"}),
        ("place:lis", set()),
        ('place:"united states"', {"paris"}),
        ("place:united", {"paris", "bath"}),
        ("place:étienne", {"etienne"}),
        ('place:"saint etienne"', {"etienne"}),
        ("place:Saint-Etienne", {"etienne"}),
        # a country alone
        ("place:australia", {"lord howe"}),
        ("place:aus*", {"lord howe"}),
        # whole names in other languages
        ("place:lisboa", {"lisbon"}),
        ("place:munchen", {"munich"}),
        ("place:里斯本", {"lisbon"}),
        ("place:monaco", set()),
        ('place:"monaco di baviera"', {"munich"}),
        ("place:wien", set()),
        # * matches the rest of a word, or any part of a name in another language, but never spans two names
        ("place:lis*", {"lisbon"}),
        ("place:sain*", {"etienne", "au"}),
        ("place:*o", {"porto", "rio"}),
        ("place:mon*viera", {"munich"}),
        ("place:mun*meer", set()),
        ("place:l*l", set()),
        ("place:*", set(PLACES)),
        ('place:"rio *"', {"rio"}),
        # all parts must match
        ('place:"Paris, Texas"', {"paris"}),
        ('place:"paris, us"', {"paris"}),
        ('place:"Paris, France"', set()),
        ('place:"Lisboa, PT"', {"lisbon"}),
        # a country code, which is not a word of the name but may look like one
        ("place:pt", {"lisbon", "porto"}),
        ("place:de", {"munich"}),
        ("place:au", {"au", "lord howe"}),
        ("place:uk", {"bath"}),
        ("place:usa", {"paris"}),
        ("place:rio,bath", {"rio", "bath"}),
        ("-place:*", {"nowhere"}),
        ('place:"!?"', set()),
        ('place:"[a-z]*"', set()),
        ("place:.*", set(PLACES)),
    ],
)
def test_a_place_is_found_by_its_names(library: Library, query: str, names: set[str]) -> None:
    assert {NAMES[photo_id - 1] for photo_id in matching_photo_ids(library, parse(library, query))} == names


def test_a_place_has_one_row_however_often_it_is_resolved(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        ids = set()
        for _ in range(2):
            with library.database.write() as connection:
                ids |= {ensure_place(connection, LISBON), ensure_place(connection, LISBON)}
        assert len(ids) == 1
        with library.database.read() as connection:
            row = connection.execute(select(place)).one()
        assert row.words == " lisbon lisbon portugal "
        assert row.alternates == "\nlisboa\nlissabon\n里斯本\n"


def test_a_row_of_older_data_is_updated_and_keeps_its_id(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library, library.database.write() as connection:
        first = ensure_place(connection, replace(LISBON, alternates="", population=5))
        assert ensure_place(connection, LISBON) == first
        row = connection.execute(select(place)).one()
        assert (row.population, row.alternates) == (LISBON.population, LISBON.alternates)


def test_two_places_of_one_name_are_two_rows(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library, library.database.write() as connection:
        first = ensure_place(connection, LISBON)
        assert ensure_place(connection, replace(LISBON, latitude=2.0)) != first
        assert connection.execute(select(func.count()).select_from(place)).scalar_one() == 2


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("Porto", "Porto", "Portugal"), "Porto, Portugal"),
        (("Zürich", "Zurich", "Switzerland"), "Zürich, Switzerland"),
        (("Singapore", None, "Singapore"), "Singapore"),
        (("Munich", "Bavaria", "Germany"), "Munich, Bavaria, Germany"),
        (("Nowhere", "", "Atlantis"), "Nowhere, Atlantis"),
    ],
)
def test_equal_parts_of_a_place_are_shown_once(names: tuple[str, str | None, str], text: str) -> None:
    assert display(a_place(*names, "XX")) == text


def test_a_row_is_shown_as_the_place_is(library: Library) -> None:
    with library.database.read() as connection:
        rows = connection.execute(select(place).order_by(place.c.id)).all()
    assert [display(row) for row in rows] == [display(one) for one in PLACES.values()]


POSITIONS = 400


@pytest.fixture(scope="module")
def positions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, dict[int, tuple[float, float]]]]:
    """A library with photos all over the world, many near the poles and the date line."""
    chance = random.Random(77)
    spots = [(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180)) for _ in range(POSITIONS)]
    spots += [(chance.choice((-1, 1)) * chance.uniform(88, 90), chance.uniform(-180, 180)) for _ in range(POSITIONS)]
    spots += [(chance.uniform(-60, 60), chance.choice((-1, 1)) * chance.uniform(178, 180)) for _ in range(POSITIONS)]
    spots += [(90.0, 0.0), (-90.0, 50.0), (0.0, 180.0), (0.0, -180.0), (38.7, -9.1)]
    folder = tmp_path_factory.mktemp("positions")
    with library_in(folder / "library") as library:
        volume_rows = VolumeRows(library, folder / "originals")
        volume_rows.add_photo()
        first = volume_rows.add_photo(latitude=0.0, longitude=0.0)
        with library.database.read() as connection:
            row = dict(connection.execute(select(photo).where(photo.c.id == first)).mappings().one())
        del row["id"]
        with library.database.write() as connection:
            connection.execute(photo.insert(), [row | {"latitude": spot[0], "longitude": spot[1]} for spot in spots])
        with library.database.read() as connection:
            known = select(photo.c.id, photo.c.latitude, photo.c.longitude).where(photo.c.latitude.is_not(None))
            yield library, {one.id: (one.latitude, one.longitude) for one in connection.execute(known)}


CENTRES = [
    (38.7, -9.1), (0.0, 179.9), (0.0, -179.9), (10.0, 180.0), (10.0, -180.0), (89.5, 10.0), (-89.5, -170.0), (90.0, 0.0),
    (-90.0, 0.0), (60.0, 100.0), (-60.0, -179.0), (75.0, 179.0), (0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("radius_km", [0.001, 30.0, 250.0, 2000.0, 9000.0, 15000.0, 20_100.0])
def test_near_finds_exactly_the_photos_within_the_distance(
    positions: tuple[Library, dict[int, tuple[float, float]]], centre: tuple[float, float], radius_km: float
) -> None:
    library, spots = positions
    expected = {number for number, spot in spots.items() if distance_km(*spot, *centre) <= radius_km}
    with library.database.read() as connection, engine_of(connection).functions(connection):
        found = set(connection.execute(select(photo.c.id).where(is_near(*centre, radius_km))).scalars())
    assert found == expected
    assert radius_km < 2000 or found


def test_near_reads_the_index_of_the_positions(
    positions: tuple[Library, dict[int, tuple[float, float]]],
) -> None:
    library, _ = positions
    with library.database.read() as connection, engine_of(connection).functions(connection):
        statement = select(photo.c.id).where(is_near(38.7, -9.1, 30.0))
        compiled = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert "photo_by_position" in str(plan)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("near:1,6,1km", {"lisbon", "munich"}),
        ("near:1,6.05,5mi", {"lisbon", "munich"}),
        ("near:1,6.05,5km", set()),
        ("near:1,6.05", {"lisbon", "munich"}),
        ("near:1,6.005,600m", {"lisbon", "munich"}),
    ],
)
def test_near_accepts_a_position_and_a_distance(tmp_path: Path, query: str, names: set[str]) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path / "originals")
        for name in NAMES:
            one = PLACES.get(name)
            spot = {"latitude": one.latitude, "longitude": one.longitude} if one else {}
            photo_id = volume_rows.add_photo(**spot)
            volume_rows.add_file(f"{name}.jpg", asset_id=volume_rows.asset_of(photo_id), create=False)
        assert {NAMES[photo_id - 1] for photo_id in matching_photo_ids(library, parse(library, query))} == names
