"""Sessions, trips, homes, titles and keys, computed from plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from photoindex.domain.events.sessions import Moments, Sessions, distances_km, find_sessions
from photoindex.domain.events.titles import PlaceName, key, title, unique_keys
from photoindex.domain.events.trips import homes, trips

HOUR = 3_600
SIX_HOURS = 6 * HOUR
BERLIN = (52.52, 13.405)
POTSDAM = (52.39, 13.065)
LISBON = (38.72, -9.14)
SINTRA = (38.80, -9.38)
PORTO = (41.15, -8.61)

Taken = tuple[str, tuple[float, float] | None]


def moments(*photos: Taken) -> Moments:
    """Photos with ids from 0; a time of ten characters is a day."""
    nowhere = (float("nan"), float("nan"))
    positions = [nowhere if position is None else position for _, position in photos]
    return Moments(
        ids=np.arange(len(photos)),
        seconds=np.array(
            [int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) for at, _ in photos], dtype=np.int64
        ),
        day_only=np.array([len(at) == 10 for at, _ in photos], dtype=np.bool_),
        latitude=np.array([latitude for latitude, _ in positions], dtype=np.float64),
        longitude=np.array([longitude for _, longitude in positions], dtype=np.float64),
        place_ids=np.full(len(photos), -1),
    )


def parts(found: Sessions) -> list[list[int]]:
    return [sorted(found.moments.ids[found.photos(index)].tolist()) for index in range(len(found))]


def cut(*photos: Taken | str, gap_seconds: int = SIX_HOURS) -> list[list[int]]:
    return parts(find_sessions(moments(*((one, None) if isinstance(one, str) else one for one in photos)), gap_seconds))


def ends(found: Sessions) -> list[tuple[str, str]]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    pairs = zip(found.first.tolist(), found.last.tolist(), strict=True)
    return [tuple((epoch + timedelta(seconds=one)).isoformat()[:19] for one in pair) for pair in pairs]  # type: ignore[misc]


def test_no_photos_give_no_sessions() -> None:
    assert cut() == []
    assert trips(find_sessions(moments(), SIX_HOURS), homes(moments())) == []


def test_a_pause_longer_than_the_gap_splits_and_an_equal_one_does_not() -> None:
    assert cut("2019-06-01T08:00:00", "2019-06-01T14:00:00", "2019-06-01T20:00:01") == [[0, 1], [2]]


def test_an_evening_continues_past_midnight() -> None:
    assert cut("2018-12-31T22:00:00", "2019-01-01T01:30:00", "2019-01-01T12:00:00") == [[0, 1], [2]]


MORNING, NOON, EVENING = "2019-06-01T05:00:00", "2019-06-01T12:00:00", "2019-06-01T20:00:00"
TOWNS = {BERLIN: 1, POTSDAM: 2, LISBON: 3}


def cut_in_towns(*photos: Taken, gap_seconds: int = SIX_HOURS) -> list[list[int]]:
    towns = np.array([-1 if position is None else TOWNS[position] for _, position in photos])
    return parts(find_sessions(replace(moments(*photos), place_ids=towns), gap_seconds))


def test_photos_of_one_day_and_town_are_one_session_whatever_the_pause() -> None:
    assert cut_in_towns((MORNING, BERLIN), (EVENING, BERLIN)) == [[0, 1]]
    assert cut_in_towns((MORNING, BERLIN), (NOON, None), (EVENING, BERLIN)) == [[0, 1, 2]]
    assert cut_in_towns((MORNING, BERLIN), (NOON, POTSDAM), (EVENING, BERLIN)) == [[0, 1, 2]]
    assert cut_in_towns(("2019-06-01T00:10:00", BERLIN), (NOON, BERLIN)) == [[0, 1]]


@pytest.mark.parametrize(
    "photos",
    [
        ((MORNING, BERLIN), (EVENING, POTSDAM)),
        ((MORNING, None), (EVENING, None)),
        (("2019-05-31T20:00:00", BERLIN), (MORNING, BERLIN)),
    ],
)
def test_another_town_no_town_and_another_day_are_other_sessions(photos: tuple[Taken, ...]) -> None:
    assert cut_in_towns(*photos) == [[0], [1]]


def test_a_day_with_a_far_jump_in_between_and_a_party_past_midnight_stay_apart() -> None:
    assert cut_in_towns((MORNING, BERLIN), (NOON, LISBON), (EVENING, BERLIN)) == [[0], [1], [2]]
    night = (("2019-05-31T22:00:00", BERLIN), ("2019-06-01T01:00:00", BERLIN))
    assert cut_in_towns(*night, (NOON, BERLIN)) == [[0, 1], [2]]


def test_a_gap_shorter_than_six_hours_splits_a_day_in_one_town() -> None:
    assert cut_in_towns((MORNING, BERLIN), (NOON, BERLIN), gap_seconds=HOUR) == [[0], [1]]


def test_times_before_1970_and_in_the_year_one_are_split_like_others() -> None:
    assert cut("0001-01-01T00:00:00", "0001-01-01T01:00:00", "1969-12-31T23:00:00", "1970-01-01T01:00:00") == [
        [0, 1],
        [2, 3],
    ]


def test_a_jump_in_location_with_a_pause_of_more_than_an_hour_splits() -> None:
    assert cut(("2019-06-01T08:00:00", BERLIN), ("2019-06-01T11:00:00", LISBON)) == [[0], [1]]
    assert cut(("2019-06-01T08:00:00", BERLIN), ("2019-06-01T11:00:00", POTSDAM)) == [[0, 1]]


def test_photos_from_a_train_are_one_session() -> None:
    track = [(f"2019-06-01T08:{10 * index:02}:00", (52.0 - index, 13.0)) for index in range(6)]
    assert cut(*track) == [[0, 1, 2, 3, 4, 5]]


def test_a_jump_splits_at_the_longest_pause_between_the_two_positions() -> None:
    assert cut(
        ("2019-06-01T08:00:00", BERLIN), "2019-06-01T08:30:00", "2019-06-01T11:00:00", ("2019-06-01T11:30:00", LISBON)
    ) == [[0, 1], [2, 3]]


def test_a_jump_without_a_pause_of_an_hour_does_not_split() -> None:
    minutes = [f"2019-06-01T{8 + index // 2:02}:{30 * (index % 2):02}:00" for index in range(1, 6)]
    assert cut(("2019-06-01T08:00:00", BERLIN), *minutes, ("2019-06-01T11:00:00", LISBON)) == [[0, 1, 2, 3, 4, 5, 6]]


def test_a_photo_with_only_a_day_joins_the_first_session_of_that_day_and_moves_its_start_to_midnight() -> None:
    found = find_sessions(
        moments(("2019-06-01", None), ("2019-06-01T10:00:00", None), ("2019-06-01T20:00:00", None)), SIX_HOURS
    )
    assert parts(found) == [[0, 1], [2]]
    assert ends(found)[0] == ("2019-06-01T00:00:00", "2019-06-01T10:00:00")


def test_a_photo_with_only_a_day_does_not_join_the_evening_before_to_it() -> None:
    assert cut("2019-05-31T22:00:00", "2019-06-01", "2019-06-01T09:00:00") == [[0], [1, 2]]


def test_a_photo_with_only_a_day_joins_a_session_that_continues_past_midnight() -> None:
    assert cut("2018-12-31T22:00:00", "2019-01-01", "2019-01-01T01:30:00", "2019-01-01T12:00:00") == [[0, 1, 2], [3]]


def test_photos_with_only_a_day_form_a_session_of_the_whole_day() -> None:
    found = find_sessions(moments(("2019-06-01", None), ("2019-06-01", None), ("2019-06-02T10:00:00", None)), SIX_HOURS)
    assert parts(found) == [[0, 1], [2]]
    assert ends(found)[0] == ("2019-06-01T00:00:00", "2019-06-01T23:59:59")


def test_distances_are_great_circle_distances_also_across_the_date_line() -> None:
    assert distance(BERLIN, LISBON) == pytest.approx(2_313, abs=10)
    assert distance((-17.0, 179.9), (-17.0, -179.9)) == pytest.approx(21.3, abs=0.2)
    assert distance((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20_015, abs=1)
    assert np.isnan(distance((float("nan"), 0.0), BERLIN))


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    values = (np.array([value]) for value in (*one, *other))
    return float(distances_km(*values)[0])


def at_home(*months: int, year: int = 2019, home: tuple[float, float] = BERLIN) -> list[Taken]:
    return [(f"{year}-{month:02}-10T12:00:00", home) for month in months]


def found_trips(photos: Sequence[Taken]) -> list[tuple[str, str]]:
    """Return the first and the last moment of each trip."""
    taken = moments(*photos)
    found = find_sessions(taken, SIX_HOURS)
    bounds = ends(found)
    return [(bounds[run[0]][0], bounds[run[-1]][1]) for run in trips(found, homes(taken))]


def test_sessions_away_from_home_over_a_night_are_a_trip() -> None:
    away: list[Taken] = [
        ("2019-06-01T10:00:00", LISBON),
        ("2019-06-02T12:00:00", SINTRA),
        ("2019-06-03T12:00:00", PORTO),
    ]
    assert found_trips([*at_home(*range(1, 9)), *away]) == [("2019-06-01T10:00:00", "2019-06-03T12:00:00")]


def test_neither_a_day_away_nor_a_party_past_midnight_is_a_trip() -> None:
    day: list[Taken] = [("2019-06-01T10:00:00", LISBON), ("2019-06-01T20:00:00", LISBON)]
    party: list[Taken] = [("2019-06-01T22:00:00", LISBON), ("2019-06-02T03:00:00", LISBON)]
    assert found_trips([*at_home(*range(1, 9)), *day]) == []
    assert found_trips([*at_home(*range(1, 9)), *party]) == []


def test_a_pause_of_two_days_or_a_photo_at_home_ends_a_trip() -> None:
    first: list[Taken] = [("2019-06-01T10:00:00", LISBON), ("2019-06-02T10:00:00", LISBON)]
    paused: list[Taken] = [("2019-06-04T10:00:00", LISBON), ("2019-06-05T10:00:00", LISBON)]
    expected = [("2019-06-01T10:00:00", "2019-06-02T10:00:00"), ("2019-06-04T10:00:00", "2019-06-05T10:00:00")]
    assert found_trips([*at_home(*range(1, 9)), *first, *paused]) == expected
    between: list[Taken] = [*first, ("2019-06-03T10:00:00", BERLIN), *paused]
    assert found_trips([*at_home(*range(1, 9)), *between]) == expected


def test_photos_without_a_position_belong_to_a_trip_only_between_two_sessions_away() -> None:
    taken: list[Taken] = [
        ("2019-05-31T10:00:00", None), ("2019-06-01T10:00:00", LISBON), ("2019-06-02T10:00:00", None),
        ("2019-06-03T10:00:00", LISBON), ("2019-06-04T10:00:00", None),
    ]  # fmt: skip
    assert found_trips([*at_home(*range(1, 9)), *taken]) == [("2019-06-01T10:00:00", "2019-06-03T10:00:00")]


def test_moving_house_changes_the_home() -> None:
    before, after = at_home(*range(1, 13), year=2017), at_home(*range(1, 13), year=2019, home=LISBON)
    visit: list[Taken] = [("2019-06-20T10:00:00", BERLIN), ("2019-06-21T10:00:00", BERLIN)]
    earlier: list[Taken] = [("2017-06-20T10:00:00", LISBON), ("2017-06-21T10:00:00", LISBON)]
    assert found_trips([*before, *after, *visit, *earlier]) == [
        ("2017-06-20T10:00:00", "2017-06-21T10:00:00"),
        ("2019-06-20T10:00:00", "2019-06-21T10:00:00"),
    ]


def test_a_holiday_with_more_days_than_home_does_not_become_home() -> None:
    holiday: list[Taken] = [(f"2019-07-{day:02}T12:00:00", LISBON) for day in range(1, 15)]
    taken = moments(*at_home(2, 5, 9, 11), *holiday)
    lived = homes(taken)
    assert np.allclose(lived.latitude, BERLIN[0])
    assert found_trips([*at_home(2, 5, 9, 11), *holiday]) == [("2019-07-01T12:00:00", "2019-07-14T12:00:00")]


def test_without_a_home_there_are_no_trips() -> None:
    holiday: list[Taken] = [(f"2019-07-{day:02}T12:00:00", LISBON) for day in range(1, 15)]
    assert np.isnan(homes(moments(*holiday)).latitude).all()
    assert found_trips(holiday) == []


def test_a_position_at_a_pole_or_on_the_date_line_has_a_cell() -> None:
    edges = [(90.0, 180.0), (-90.0, -180.0), (90.0, -180.0), (0.0, 180.0)]
    taken = moments(*((f"2019-0{index + 1}-01T00:00:00", edge) for index, edge in enumerate(edges)))
    assert len(homes(taken).months) == 4


def place(city: str, country: str = "Portugal", photos: int = 10, code: str = "PT") -> PlaceName:
    return PlaceName(city, None, country, code, photos)


def test_a_title_names_the_most_photographed_places() -> None:
    days = ("2019-06-01", "2019-06-01")
    assert title([place("Lisbon")], *days) == "Lisbon, Portugal"
    assert title([place("Lisbon"), place("Sintra", photos=3)], *days) == "Lisbon and Sintra, Portugal"
    assert title([place("Lisbon"), place("Sintra", photos=1)], *days) == "Lisbon, Portugal"
    three = [place("Lisbon"), place("Porto"), place("Sintra"), place("Faro")]
    assert title(three, *days, cities_max=3) == "Lisbon, Porto and Sintra, Portugal"
    assert title([place("Lisbon"), place("Lisbon")], *days) == "Lisbon, Portugal"


def test_a_title_of_several_countries_names_them() -> None:
    vienna, brno = place("Vienna", "Austria"), place("Brno", "Czechia")
    assert title([vienna, brno], "2019-06-01", "2019-06-01") == "Vienna, Austria and Brno, Czechia"
    assert title([vienna, brno], "2019-06-01", "2019-06-02", cities_max=3) == "Austria and Czechia"


def test_a_place_without_a_town_is_named_by_its_country() -> None:
    lord_howe, sydney = PlaceName("", None, "Australia", "AU", 4), PlaceName("Sydney", None, "Australia", "AU", 3)
    auckland = PlaceName("Auckland", None, "New Zealand", "NZ", 3)
    day = "2019-06-01"
    assert title([lord_howe], day, day) == "Australia"
    assert title([lord_howe, sydney], day, day) == "Sydney, Australia"
    assert title([lord_howe, auckland], day, day) == "Australia and Auckland, New Zealand"
    assert key([lord_howe], day, trip=False) == "2019-06-01-australia"


def test_a_title_without_a_place_is_the_date() -> None:
    assert title([], "2019-06-01", "2019-06-01") == "2019-06-01"
    assert title([], "2019-06-01", "2019-06-03") == "2019-06-01 to 2019-06-03"


@pytest.mark.parametrize(
    ("city", "slug"),
    [
        ("Lisbon", "-lisbon"), ("São Paulo", "-sao-paulo"), ("Łódź", "-lodz"), ("Tromsø", "-tromso"), ("東京", "-jp"),
        ("Sant Julià de Lòria", "-sant-julia-de-loria"), ("L'Aquila", "-laquila"), ("Straße", "-strasse"), ("a" * 90, "-" + "a" * 40),
    ],
)  # fmt: skip
def test_a_key_is_the_first_day_and_the_place_in_ascii(city: str, slug: str) -> None:
    assert key([place(city, code="JP")], "2019-06-01", trip=False) == f"2019-06-01{slug}"


def test_the_key_of_a_trip_contains_trip_and_the_country() -> None:
    assert key([place("Lisbon")], "2019-06-01", trip=True) == "2019-06-01-trip-portugal"
    assert key([], "2019-06-01", trip=True) == "2019-06-01-trip"
    assert key([], "2019-06-01", trip=False) == "2019-06-01"


def test_equal_keys_get_the_first_free_suffix() -> None:
    assert unique_keys(["a", "a", "b", "a"]) == ["a", "a-2", "b", "a-3"]
    assert unique_keys(["a-2", "a", "a", "a"]) == ["a-2", "a", "a-3", "a-4"]
