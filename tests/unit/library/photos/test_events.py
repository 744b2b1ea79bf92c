"""Events: which are found, what is stored, and what `event:` matches afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.errors import LibraryLocked, NothingFound, QuerySyntaxError, UsageError
from photoindex.library.photos.events import Event, EventQuery, FoundEvents, events, save
from photoindex.library.search import saved
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.parse import parse_arguments
from photoindex.store.schema.tables import event, place
from tests.rows import VolumeRows, library_in

PLACES = {
    "Berlin": (1, "Land Berlin", "Germany", "DE", 52.524, 13.41),
    "Lisbon": (2, "Lisbon", "Portugal", "PT", 38.717, -9.133),
    "Sintra": (3, "Lisbon", "Portugal", "PT", 38.801, -9.378),
}
TRIP = "2019-06-01-trip-portugal"


class Album:
    """A library with places and photos that were taken there."""

    def __init__(self, volume_rows: VolumeRows) -> None:
        self.volume_rows = volume_rows
        self.library = volume_rows.library
        self._names = 0
        with volume_rows.writing() as connection:
            for city, (number, region, country, code, latitude, longitude) in PLACES.items():
                values = {"id": number, "city": city, "region": region, "country": country, "country_code": code}
                words = f" {city.lower()} {country.lower()} "
                connection.execute(
                    insert(place).values(
                        **values, latitude=latitude, longitude=longitude, population=1, words=words, alternates="\n"
                    )
                )

    def take(self, at: str | None, city: str | None = None, **values: Any) -> int:
        """Add a photo; return its id."""
        if city is not None:
            number, *_, latitude, longitude = PLACES[city]
            values = {"place_id": number, "latitude": latitude, "longitude": longitude} | values
        self._names += 1
        return self.volume_rows.add_whole_photo(
            f"{self._names}.jpg", taken_at=at, **({"taken_at_precision": "second"} | values)
        )

    def live_in_berlin(self) -> None:
        """Add a photo in Berlin for each of eight months."""
        for month in range(1, 9):
            self.take(f"2019-{month:02}-10T12:00:00+02:00", "Berlin")

    def find(self, *words: str, **wanted: Any) -> FoundEvents:
        """Find events."""
        return events(self.library, EventQuery(words=words, **wanted))

    def keys(self, *words: str, **wanted: Any) -> list[str]:
        """The keys of the events found."""
        return [one.key for one in self.find(*words, **wanted).events]

    def stored(self) -> set[str]:
        """The keys in the table."""
        with self.library.database.read() as connection:
            return set(connection.execute(select(event.c.key)).scalars())

    def search(self, *words: str) -> list[int]:
        """The photos that a query finds."""
        return matching_photo_ids(self.library, parse_arguments(self.library, words))


@pytest.fixture
def album(library_folder: Path, tmp_path: Path) -> Iterator[Album]:
    (tmp_path / "originals").mkdir()
    with library_in(library_folder) as library:
        yield Album(VolumeRows(library, tmp_path / "originals"))


@pytest.fixture
def journey(album: Album) -> Album:
    """Berlin, and four days in Portugal."""
    album.live_in_berlin()
    album.take("2019-06-01T10:00:00+01:00", "Lisbon", camera_make="Canon")
    album.take("2019-06-01T12:00:00.250+01:00", "Sintra")
    album.take("2019-06-02T12:00:00")
    album.take("2019-06-03T00:00:00", taken_at_precision="day")
    album.take("2019-06-04T09:00:00+01:00", "Lisbon")
    return album


def only(found: FoundEvents, key: str) -> Event:
    (one,) = (one for one in found.events if one.key == key)
    return one


def test_an_empty_library_has_no_events(album: Album) -> None:
    assert album.find() == FoundEvents((), without_day=0, undated=0)


def test_trips_come_before_their_days_and_the_newest_first(journey: Album) -> None:
    found = journey.find()
    assert [one.key for one in found.events][:8] == [
        "2019-08-10-berlin", "2019-07-10-berlin", "2019-06-10-berlin", TRIP, "2019-06-01-lisbon", "2019-06-02",
        "2019-06-03", "2019-06-04-lisbon",
    ]  # fmt: skip
    assert {one.key for one in found.events if one.parent == TRIP} == {
        "2019-06-01-lisbon", "2019-06-02", "2019-06-03", "2019-06-04-lisbon",
    }  # fmt: skip


def test_an_event_has_its_times_places_and_number_of_photos(journey: Album) -> None:
    found = journey.find()
    trip, day = only(found, TRIP), only(found, "2019-06-01-lisbon")
    assert (trip.kind, trip.title, trip.days, trip.photos) == ("trip", "Lisbon and Sintra, Portugal", 4, 5)
    assert (trip.first_at, trip.last_at) == ("2019-06-01T10:00:00", "2019-06-04T09:00:00")
    assert [(one.city, one.photos) for one in trip.places] == [("Lisbon", 2), ("Sintra", 1)]
    assert (day.kind, day.title, day.days, day.photos) == ("day", "Lisbon and Sintra, Portugal", 1, 2)
    assert (day.latitude, day.longitude) == pytest.approx((38.759, -9.2555), abs=1e-3)
    unplaced = only(found, "2019-06-03")
    assert (unplaced.title, unplaced.latitude, unplaced.places) == ("2019-06-03", None, ())
    assert (unplaced.first_at, unplaced.last_at) == ("2019-06-03T00:00:00", "2019-06-03T23:59:59")


def test_the_query_event_finds_the_photos_of_each_event(journey: Album) -> None:
    found = journey.find()
    for one in found.events:
        assert len(journey.search(f"event:{one.key}")) == one.photos
    assert journey.search(f"event:{TRIP}") == [9, 10, 11, 12, 13]


def test_an_event_is_found_by_the_words_of_its_places(journey: Album) -> None:
    journey.find()
    assert journey.search("event:sintra") == [9, 10, 11, 12, 13]


def test_photos_with_only_a_month_or_a_year_belong_to_no_event(journey: Album) -> None:
    journey.take("2019-06-01T00:00:00", taken_at_precision="month")
    journey.take("2019-01-01T00:00:00", taken_at_precision="year")
    journey.take("2019-06-02T00:00:00", taken_at_precision="month")
    journey.take(None, taken_at_precision=None)
    found = journey.find()
    assert (found.without_day, found.undated) == (3, 1)
    assert only(found, TRIP).photos == 5
    assert journey.search(f"event:{TRIP}") == [9, 10, 11, 12, 13]


def test_photos_with_missing_files_belong_to_no_event(album: Album) -> None:
    album.volume_rows.add_whole_photo("gone.jpg", state="missing", taken_at="2019-06-01T10:00:00")
    assert album.find().events == ()
    assert album.keys("is:missing") == ["2019-06-01"]


def test_a_longer_gap_joins_events_that_a_shorter_one_separates(album: Album) -> None:
    album.take("2019-06-01T22:00:00", "Berlin")
    album.take("2019-06-02T08:00:00", "Berlin")
    assert album.keys() == ["2019-06-02-berlin", "2019-06-01-berlin"]
    assert album.keys(gap_seconds=10 * 3_600) == ["2019-06-01-berlin"]


def test_photos_of_one_day_and_town_are_one_event(album: Album) -> None:
    album.take("2019-06-01T07:00:00", "Berlin")
    album.take("2019-06-01T21:00:00", "Berlin")
    assert album.keys() == ["2019-06-01-berlin"]
    assert album.keys(gap_seconds=3_600) == ["2019-06-01-berlin-2", "2019-06-01-berlin"]


def test_home_is_derived_from_the_whole_library_for_any_query(journey: Album) -> None:
    assert journey.keys("date:2019-06-01..2019-06-04")[0] == TRIP


def test_events_of_a_query_are_stored_with_the_others_until_all_are_recomputed(journey: Album) -> None:
    whole = set(journey.keys())
    assert journey.keys("date:2019-06-02") == ["2019-06-02"]
    assert journey.stored() == whole
    assert journey.keys("date:2019-06-04") == ["2019-06-04-lisbon"]
    journey.take("2019-06-04T18:00:00", "Sintra")
    journey.keys("date:2019-06-04", gap_seconds=3_600)
    assert journey.stored() == whole | {"2019-06-04-sintra"}
    journey.take("2019-06-04T14:00:00", "Lisbon")
    assert set(journey.keys()) == journey.stored() == whole


def test_an_event_named_in_a_saved_query_is_kept_when_it_is_no_longer_found(album: Album) -> None:
    album.take("2019-06-01T08:00:00")
    album.take("2019-06-01T15:00:00")
    album.keys()
    saved.save(album.library, "party", "(EVENT:2019-06-01-2 OR beach) iso:100")
    album.take("2019-06-01T12:00:00")
    assert album.keys() == ["2019-06-01"]
    assert album.stored() == {"2019-06-01", "2019-06-01-2"}
    saved.remove(album.library, ["party"])
    album.keys()
    assert album.stored() == {"2019-06-01"}


def test_a_repeated_listing_writes_nothing_and_a_different_one_only_changes(journey: Album) -> None:
    def found_at() -> dict[str, float]:
        with journey.library.database.read() as connection:
            return {row.key: row.found_at for row in connection.execute(select(event.c.key, event.c.found_at))}

    journey.keys()
    before = found_at()
    watching = journey.library.database.raw_connection()
    with closing(watching):
        (version,) = watching.execute("PRAGMA data_version").fetchone()
        journey.keys()
        journey.keys("date:2019-08")
        assert watching.execute("PRAGMA data_version").fetchone() == (version,)
    journey.take("2019-08-10T12:30:00", "Berlin")
    journey.keys()
    after = found_at()
    assert {key for key in before if before[key] != after[key]} == {"2019-08-10-berlin"}


def test_events_are_found_in_a_read_only_library(journey: Album) -> None:
    config = Config.model_validate({"library": journey.library.folder, "database": {"busy_seconds": 0}})
    with journey.volume_rows.writing(), open_library(config) as library:
        found = events(library, EventQuery())
        assert len(found.events) == 13
        assert "is in use by another program" in (found.not_kept or "")
        with pytest.raises(LibraryLocked):
            save(library, TRIP)
    assert journey.stored() == set()
    assert journey.find().not_kept is None


def test_min_photos_and_limit_affect_the_result_not_the_stored_events(journey: Album) -> None:
    assert journey.keys(min_photos=2) == [TRIP, "2019-06-01-lisbon"]
    assert journey.keys(limit=1) == ["2019-08-10-berlin"]
    assert journey.keys(limit=4)[3:] == [TRIP, "2019-06-01-lisbon", "2019-06-02", "2019-06-03", "2019-06-04-lisbon"]
    assert journey.keys(limit=0) == []
    assert len(journey.stored()) == 13


def test_a_saved_event_is_found_by_its_name(journey: Album) -> None:
    assert save(journey.library, TRIP, "portugal") == ("portugal", f"event:{TRIP}")
    assert journey.search("@portugal") == [9, 10, 11, 12, 13]
    assert save(journey.library, "2019-06-02") == ("2019-06-02", "event:2019-06-02")
    assert journey.search("@2019-06-02") == [11]


def test_an_unknown_event_cannot_be_saved_and_a_similar_key_is_suggested(journey: Album) -> None:
    with pytest.raises(NothingFound, match="did you mean 2019-06-04-lisbon"):
        save(journey.library, "2019-06-04-lisbn")
    with pytest.raises(UsageError):
        save(journey.library, TRIP, "no good name")


def test_an_invalid_query_writes_nothing(journey: Album) -> None:
    with pytest.raises(QuerySyntaxError):
        journey.find("dat:2019")
    assert journey.stored() == set()
