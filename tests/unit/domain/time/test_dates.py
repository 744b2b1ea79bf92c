"""Parsing the dates of cameras and programs while keeping their precision."""

from __future__ import annotations

import pytest

from photoindex.domain.time.dates import DateError, iso_time


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019:06:01 12:34:56", "2019-06-01T12:34:56"),
        ("2019-06-01T12:34", "2019-06-01T12:34"),
        ("2019-06-01T12:34+02:00", "2019-06-01T12:34+02:00"),
        ("2019:06:01 12:34:  ", "2019-06-01T12:34"),
        ("2019:06:01   :  :  ", "2019-06-01"),
        ("2019:06:  ", "2019-06"),
        ("2019:06:01 12:34:60", "2019-06-01T12:34:60"),
        ("    :  :     :  :  ", None),
        ("", None),
    ],
)
def test_blanks_at_the_end_of_a_date_are_dropped(written: str, expected: str | None) -> None:
    assert iso_time(written) == expected


def test_fraction_and_offset_of_other_tags_are_added_if_the_seconds_are_known() -> None:
    assert iso_time("2019:06:01 12:34:56", fraction="25 ", offset="+02:00") == "2019-06-01T12:34:56.25+02:00"
    assert iso_time("2019:06:01 12:34", fraction="25", offset="+02:00") == "2019-06-01T12:34+02:00"
    assert iso_time("2019:06:01", fraction="25", offset="+02:00") == "2019-06-01"


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "9057:01:01 00:00:00", "1825:01:01", "2019:02:30", "June", "2019:06:01 25:00"]
)
def test_an_impossible_date_is_refused(written: str) -> None:
    with pytest.raises(DateError):
        iso_time(written)
