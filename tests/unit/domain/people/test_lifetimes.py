"""Dates of a life that are known to the year, month or day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from photoindex.domain.people.lifetimes import checked_date, first_day, last_day, outside_life

TODAY = date(2026, 3, 15)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2016", "2016-01-01", "2016-12-31"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("2016-12", "2016-12-01", "2016-12-31"),
        ("2016-02-03", "2016-02-03", "2016-02-03"),
    ],
)
def test_a_partial_date_is_a_range_of_days(written: str, first: str, last: str) -> None:
    assert (str(first_day(written)), str(last_day(written))) == (first, last)


@pytest.mark.parametrize("written", ["", "16", "2016-2", "2016-02-30", "20160203", "yesterday!", "٢٠١٦"])
def test_other_text_is_no_date(written: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        checked_date(written, TODAY)


@pytest.mark.parametrize("written", ["2027", "2026-04", "2026-03-16"])
def test_a_date_in_the_future_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=f"^{written} is in the future$"):
        checked_date(written, TODAY)


@pytest.mark.parametrize("written", ["2026", "2026-03", "2026-03-15", " 1974-06 "])
def test_a_date_that_may_have_come_is_taken(written: str) -> None:
    assert checked_date(written, TODAY) == written.strip()


def test_only_days_that_are_certainly_outside_a_life_count() -> None:
    taken = np.array(["2009-12-31", "2010-01-01", "2020-03-31", "2020-04-01", "NaT"], "datetime64[D]")
    assert outside_life(taken, "2010", "2020-03").tolist() == [True, False, False, True, False]
    assert outside_life(taken, None, None).tolist() == [False] * 5
