"""Dates of a life that are known to the year, month or day."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.people.ages import first_day, last_day, outside_life


@pytest.mark.parametrize(
    ("date", "first", "last"),
    [
        ("2016", "2016-01-01", "2016-12-31"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("2016-12", "2016-12-01", "2016-12-31"),
        ("2016-02-03", "2016-02-03", "2016-02-03"),
    ],
)
def test_a_partial_date_is_a_range_of_days(date: str, first: str, last: str) -> None:
    assert (str(first_day(date)), str(last_day(date))) == (first, last)


@pytest.mark.parametrize("text", ["", "16", "2016-2", "2016-02-30", "20160203", "yesterday!"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|out of range"):
        first_day(text)


def test_only_days_that_are_certainly_outside_a_life_count() -> None:
    taken = np.array(["2009-12-31", "2010-01-01", "2020-03-31", "2020-04-01", "NaT"], "datetime64[D]")
    assert outside_life(taken, "2010", "2020-03").tolist() == [True, False, False, True, False]
    assert outside_life(taken, None, None).tolist() == [False] * 5
