"""When a run ends: at a time of day, or after a length of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from photoindex.domain.night.windows import next_time, window_seconds

NIGHT = datetime(2026, 11, 30, 1, 30)  # noqa: DTZ001 - a time on a clock


@pytest.fixture
def in_lisbon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("06:00", NIGHT.replace(hour=6, minute=0)),
        ("1:30", NIGHT + timedelta(days=1)),
        ("00:15", NIGHT + timedelta(hours=22, minutes=45)),
    ],
)
def test_the_next_time_of_day_is_after_now(clock: str, expected: datetime) -> None:
    assert next_time(clock, NIGHT) == expected


@pytest.mark.parametrize("clock", ["24:00", "6", "06:60", "noon", "", "06:00:00", "-1:00", "\u0666:05"])
def test_what_is_no_time_of_day_is_refused_by_name(clock: str) -> None:
    with pytest.raises(ValueError, match="write one like 06:00"):
        next_time(clock, NIGHT)


def test_the_earlier_of_two_ends_counts() -> None:
    assert window_seconds("06:00", 3600, NIGHT) == 3600
    assert window_seconds("02:00", 3600, NIGHT) == 1800
    assert window_seconds(None, None, NIGHT) is None


@pytest.mark.usefixtures("in_lisbon")
@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 5), ((2026, 10, 25), 7), ((2026, 6, 1), 6)])
def test_a_night_in_which_the_clocks_change_is_an_hour_shorter_or_longer(day: tuple[int, int, int], hours: int) -> None:
    assert window_seconds("06:00", None, datetime(*day)) == hours * 3600  # noqa: DTZ001
