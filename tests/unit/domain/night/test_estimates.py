"""How long work takes, as ranges from pieces that were measured."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photoindex.domain.night.estimates import NOTHING, Measured, Range, duration, nights_needed, seconds_each

pieces = st.lists(
    st.builds(
        Measured,
        subjects=st.integers(1, 10_000),
        seconds=st.floats(0.01, 10_000),
        opening_seconds=st.just(0.0) | st.floats(0.1, 60),
    ),
    min_size=1,
    max_size=40,
)


@given(pieces, st.integers(1, 1_000_000))
def test_a_range_is_at_most_a_factor_of_two_wide_and_holds_its_median(measured: list[Measured], subjects: int) -> None:
    found = duration(subjects, measured)
    assert found is not None
    assert 0 < found.low <= found.median <= found.high
    assert found.high <= 2.000001 * found.low


def test_nothing_measured_gives_no_estimate_and_nothing_to_do_takes_no_time() -> None:
    assert duration(10, []) is None
    assert duration(0, [Measured(10, 5.0, 3.0)]) == NOTHING


def test_the_opening_of_the_model_counts_once() -> None:
    measured = [Measured(100, 50.0), Measured(100, 50.0, opening_seconds=8.0)]
    found = duration(1000, measured)
    assert found is not None
    assert found.median == pytest.approx(508)


def test_what_earlier_runs_took_besides_the_work_takes_the_place_of_openings() -> None:
    measured = [Measured(100, 50.0, opening_seconds=8.0)]
    found = duration(1000, measured, [20.0, 21.0, 300.0])
    assert found is not None
    assert found.median == pytest.approx(521)
    assert found.high < 2 * found.low


def test_a_single_odd_piece_does_not_move_the_median() -> None:
    measured = [Measured(100, 50.0)] * 9 + [Measured(100, 5_000.0)]
    found = seconds_each(measured)
    assert found is not None
    assert found.median == pytest.approx(0.5)


def test_short_pieces_are_joined_before_they_are_compared() -> None:
    """Single pictures take 0.1 s or 0.9 s by turns; together they are as steady as long pieces."""
    short = [Measured(1, 0.1 if number % 2 else 0.9) for number in range(400)]
    found = seconds_each(short)
    assert found is not None
    assert found.median == pytest.approx(0.5, rel=0.05)
    assert found.high / found.low < 1.5


@pytest.mark.parametrize("seed", range(3))
def test_nine_of_ten_nights_lie_in_the_range(seed: int) -> None:
    """Nights on a machine whose speed differs from hour to hour by a sixth, and of whose pictures some take longer."""
    chance = random.Random(seed)

    def piece() -> Measured:
        speed = math.exp(chance.gauss(0, 0.16))
        return Measured(60, sum(chance.lognormvariate(0, 0.5) for _ in range(60)) * speed)

    measured = [piece() for _ in range(60)]
    found = duration(6_000, measured)
    assert found is not None
    inside = 0
    for _ in range(100):
        seconds = sum(piece().seconds for _ in range(100))
        inside += found.low <= seconds <= found.high
    assert inside >= 90


def test_nights_are_counted_from_both_ends_of_the_range() -> None:
    assert nights_needed(Range(10.0, 8.0, 12.1), 4.0) == (2, 4)


def test_a_rate_is_the_inverse_of_a_duration() -> None:
    assert Range(0.5, 0.4, 0.8).inverse == Range(2.0, 1.25, 2.5)
