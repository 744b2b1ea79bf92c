"""Dates as people say them, as values of `date:`, and the fields for days of any year."""

from __future__ import annotations

from datetime import date

import pytest

from photoindex.errors import QuerySyntaxError
from photoindex.query.said_dates import Calendar, read_said, said_words
from photoindex.query.syntax import Compare, Node, Operator
from photoindex.query.times import read_date, read_weekday
from tests.queries import parse

TODAY = date(2026, 11, 30)
NOW = "2026-11-30T12:00:00"


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("last-year", "2025-01-01", "2025-12-31"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("last-week", "2026-11-23", "2026-11-29"),
        ("last-weekend", "2026-11-28", "2026-11-29"),
        ("this-year", "2026-01-01", "2026-12-31"),
        ("last-summer", "2026-06-01", "2026-08-31"),
        ("summer-2019", "2019-06-01", "2019-08-31"),
        ("winter-2019", "2019-12-01", "2020-02-29"),
        ("december-2019", "2019-12-01", "2019-12-31"),
        ("12/2019", "2019-12-01", "2019-12-31"),
        ("15.6.2019", "2019-06-15", "2019-06-15"),
        ("christmas-2018", "2018-12-24", "2018-12-26"),
        ("easter-2018", "2018-03-30", "2018-04-02"),
        ("easter-2024", "2024-03-29", "2024-04-01"),
        ("letzter-sommer", "2026-06-01", "2026-08-31"),
        ("été-2019", "2019-06-01", "2019-08-31"),
        ("navidad-2018", "2018-12-24", "2018-12-26"),
        ("1990s", "1990-01-01", "1999-12-31"),
    ],
)
def test_a_said_date_is_a_period(value: str, first: str, last: str) -> None:
    span = read_date(value, NOW)
    assert (span.low, span.high) == (first, f"{last}~")


def term(query: str) -> Compare:
    found: Node = parse(query)
    assert isinstance(found, Compare)
    return found


@pytest.mark.parametrize(
    ("query", "field", "value", "until"),
    [
        ("date:december", "month", "12", None),
        ("date:summer", "month", "06", "08"),
        ("date:winter", "month", "12", "02"),
        ("date:christmas", "day", "12-24", "12-26"),
        ("date:june..august", "month", "06", "08"),
        ("date:sunday", "weekday", "sunday", None),
        ("month:12", "month", "12", None),
        ("weekday:friday..monday", "weekday", "friday", "monday"),
    ],
)
def test_days_of_any_year_have_fields_of_their_own(query: str, field: str, value: str, until: str | None) -> None:
    found = term(query)
    assert (found.field, found.value, found.until) == (field, value, until)
    assert found.operator is (Operator.IS if until is None else Operator.RANGE)


@pytest.mark.parametrize(
    "query",
    ["date:sunda", "date:last-smmer", "date:31.2.2019", "date:13/2019", "month:13", "day:02-30", "weekday:someday"],
)
def test_what_is_no_date_is_an_error_that_says_what_is_needed(query: str) -> None:
    with pytest.raises(QuerySyntaxError, match=r"is needed|no day|there is no"):
        parse(query)


def test_an_hour_ago_and_half_words_mean_nothing() -> None:
    for text in ("3 hours ago", "last", "the", "may be", "sun", "vor", "12", "1750"):
        found = read_said(said_words(text), Calendar(TODAY))
        assert found is None or text == "sun"


def test_days_of_the_week_are_read_in_four_languages() -> None:
    assert {read_weekday(one).low for one in ("sunday", "Sonntag", "dimanche", "domingo")} == {7}
