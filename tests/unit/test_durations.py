"""Durations as people write them."""

from __future__ import annotations

import time

import pytest

from photoindex.durations import age_seconds, running_seconds, seconds_since_boot, split
from tests.sleeping_computer import SleepingComputer

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("90sec", 90), ("500ms", 0.5), ("30min", 1800), ("30m", 1800), ("2h", 7200), ("0.5h", 1800),
        ("1.5H", 5400), ("1d", DAY), ("2w", 14 * DAY), ("1h30m", 5400), ("1h 30 min", 5400), (" 1d12h ", 1.5 * DAY),
    ],
)  # fmt: skip
def test_a_duration_is_parsed_as_people_write_it(text: str, seconds: float) -> None:
    assert running_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-1h", "2 hours", "1s1h", "1min5min", "1h1h", "nan", "1e3h", "1h30", "٣h"]
)
def test_invalid_durations_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a length of time; .*30min, 1h30m, 2d"):
        running_seconds(text)
    with pytest.raises(ValueError, match=r"6mo"):
        age_seconds(text)


@pytest.mark.parametrize("text", ["0s", "0.0h", "99999d", "999999999w"])
def test_a_duration_is_more_than_zero_and_less_than_a_century(text: str) -> None:
    with pytest.raises(ValueError, match="more than zero and at most 100 years"):
        running_seconds(text)


@pytest.mark.parametrize("text", ["6mo", "1y", "1y2d", "1MO"])
def test_months_and_years_are_refused_as_a_running_time(text: str) -> None:
    with pytest.raises(ValueError, match="months and years vary in length"):
        running_seconds(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12h", DAY / 2), ("30d", 30 * DAY), ("1.5 w", 10.5 * DAY), ("6mo", 180 * DAY), ("1Y", 365 * DAY),
        ("1y6mo", 545 * DAY), ("6min", 360), ("0d", 0),
    ],
)  # fmt: skip
def test_an_age_may_have_months_and_years(text: str, seconds: float) -> None:
    assert age_seconds(text) == seconds


@pytest.mark.parametrize("text", ["6m", "6 M", "1y6m", "1h6m"])
def test_a_bare_m_is_refused_if_it_could_mean_months(text: str) -> None:
    with pytest.raises(ValueError, match="write 6mo or 6min"):
        age_seconds(text)


def test_the_parts_show_the_written_precision() -> None:
    assert [(part.number, part.decimals, part.unit) for part in split("1h1.50m")] == [(1, 0, "h"), (1.5, 2, "min")]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system does not count the time of sleep")
def test_time_passes_while_the_computer_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping = SleepingComputer(monkeypatch)
    before = seconds_since_boot()
    sleeping.sleep(5000.0)
    assert seconds_since_boot() - before >= 5000.0
