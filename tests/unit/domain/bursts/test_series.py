"""Telling bursts, brackets and time-lapses apart."""

from __future__ import annotations

import pytest

from photoindex.domain.bursts.series import exposure_ev, series_of
from photoindex.domain.bursts.values import Series, Shot


def shots(exposures: list[float | None], gap_seconds: float = 0.2) -> list[Shot]:
    return [Shot(gap_seconds * number, one) for number, one in enumerate(exposures)]


@pytest.mark.parametrize(
    "exposures",
    [
        [0.0, -2.0, 2.0],
        [0.0, -0.67, 0.67],
        [-2.0, 0.0, 2.0, -2.0, 0.0, 2.0],
        [0.0, -1.0, 1.0, -2.0, 2.0],
        [0.0, -2.1, 2.05],
    ],
)
def test_equal_steps_of_exposure_are_a_bracket(exposures: list[float]) -> None:
    assert series_of(shots(list(exposures))) is Series.BRACKET


@pytest.mark.parametrize(
    "exposures",
    [
        [0.0, 0.0, 0.0],
        [0.0, 0.33, 0.66],
        [0.0, -2.0, 2.0, 0.0],
        [0.0, -2.0, 1.0],
        [0.0, None, 2.0],
        [0.0, -1.0, 1.0, 0.0, 0.0, 0.0],
    ],
)
def test_other_changes_of_exposure_are_a_burst(exposures: list[float | None]) -> None:
    assert series_of(shots(exposures)) is Series.BURST


def test_equal_pauses_of_a_second_are_a_time_lapse_unless_the_camera_says_that_it_is_a_burst() -> None:
    lapse = shots([0.0] * 12, gap_seconds=1.0)
    assert series_of(lapse) is Series.TIME_LAPSE
    assert series_of(lapse, stated=True) is Series.BURST
    assert series_of(lapse[:9]) is Series.BURST
    assert series_of(shots([0.0] * 12, gap_seconds=0.1)) is Series.BURST
    uneven = [Shot(seconds, 0.0) for seconds in (0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10)]
    assert series_of(uneven) is Series.BURST


def test_an_exposure_needs_time_aperture_and_sensitivity() -> None:
    assert exposure_ev(0.01, 4.0, 200) == pytest.approx(exposure_ev(0.02, 4.0, 100) or 0.0)
    assert (exposure_ev(0.02, 4.0, 100) or 0.0) - (exposure_ev(0.01, 4.0, 100) or 0.0) == pytest.approx(1.0)
    assert exposure_ev(0.01, None, 100) is None
    assert exposure_ev(0.0, 4.0, 100) is None
