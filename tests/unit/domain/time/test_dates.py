"""Parsing the dates of cameras and programs while keeping their precision."""

from __future__ import annotations

import pytest

from photoindex.domain.time.dates import DateError, iso_time, sound_time


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
    ("written", "expected", "odd"),
    [
        ("1987:00:00 00:00:00", "1987", "the month is zero, which means unknown"),
        ("1987:00:15 12:00:00", "1987", "the month is zero, which means unknown"),
        ("1987-06-00T12:00:00", "1987-06", "the day is zero, which means unknown"),
        ("19870600", "1987-06", "the day is zero, which means unknown"),
        ("2019:13:45 10:00:00", "2019", "month 13 does not exist"),
        ("2019:02:30 10:00:00", "2019-02", "day 30 does not exist"),
        ("2015:08:22 24:08:19", "2015-08-22T00:08:19", "hour 24 is taken as hour 0 of the same date"),
        ("20150822T240819Z", "2015-08-22T00:08:19+00:00", "hour 24 is taken as hour 0 of the same date"),
        ("2015-08-22T25:08:19+02:00", "2015-08-22", "hour 25 does not exist"),
        ("2015:08:22 12:61:00", "2015-08-22", "minute 61 does not exist"),
        ("2015:08:22 12:  :  ", "2015-08-22", "the time of day is not readable"),
        ("2015:08:22 1x:10:10", "2015-08-22", "the time of day is not readable"),
        ("2015:08:22 10:10:10 PM", "2015-08-22", "the time of day is not readable"),
        ("2015:08:22 10:10:10", "2015-08-22T10:10:10", ""),
    ],
)
def test_the_sound_part_of_an_odd_date_is_kept(written: str, expected: str, odd: str) -> None:
    assert sound_time(written) == (expected, odd)
    if odd:
        with pytest.raises(DateError, match=odd):
            iso_time(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20190601", "2019-06-01"),
        ("20190601T123456Z", "2019-06-01T12:34:56+00:00"),
        ("20190601 1234+0200", "2019-06-01T12:34+02:00"),
    ],
)
def test_a_date_without_separators_is_read(written: str, expected: str) -> None:
    assert iso_time(written) == expected


@pytest.mark.parametrize("zero", ["1980:00:00 00:00:00", "1900:00:00 00:00:00"])
def test_a_clock_with_all_bits_zero_is_no_date(zero: str) -> None:
    with pytest.raises(DateError, match="never set"):
        sound_time(zero)


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "9057:01:01 00:00:00", "1825:01:01", "2019:02:30", "June", "2019:06:01 25:00"]
)
def test_an_impossible_date_is_refused(written: str) -> None:
    with pytest.raises(DateError):
        iso_time(written)
