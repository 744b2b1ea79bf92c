"""Forecasts, divergences and triggers: arithmetic."""

from __future__ import annotations

import pytest

from photoindex.domain.night.estimates import Range
from photoindex.domain.night.sizing import PROFILES, Assumption, PerPhoto, Trigger, forecast

GB = 1_000_000_000
EACH = PerPhoto(
    original_bytes=2_500_000, derived_bytes=150_000, database_bytes=10_000, index_bytes=5_000, models_bytes=2 * GB,
    model_memory_bytes=GB, seconds={"embed": Range(0.01, 0.008, 0.012)},
)  # fmt: skip
P1, P2, P3, P4 = PROFILES


def test_disk_and_hours_grow_with_the_number_of_photos() -> None:
    found = forecast(1_000_000, P2, EACH)
    assert found.originals_bytes == 2_500 * GB
    assert found.library_bytes == (150 + 10 + 5) * GB + 2 * GB
    assert found.hours["embed"].median == pytest.approx(10_000 / 3600)
    assert found.short_of == []


def test_two_hosts_take_half_as_long_and_the_index_leaves_the_memory_to_its_server() -> None:
    alone, two = forecast(2_000_000, P3, EACH), forecast(2_000_000, P4, EACH)
    assert two.hours["embed"].median == pytest.approx(alone.hours["embed"].median / 2)
    assert forecast(2_000_000, P2, EACH).ram_bytes - alone.ram_bytes == 10 * GB


def test_a_profile_says_what_it_is_short_of() -> None:
    assert forecast(500_000, P1, EACH).short_of == ["it is meant for 200,000 photos"]
    large = PerPhoto(2_500_000, 150_000, 10_000, 200_000, 0, 20 * GB)
    assert forecast(200_000, P1, large).short_of == ["RAM", "VRAM"]


@pytest.mark.parametrize(
    ("measured", "at_most", "diverges"),
    [(None, False, False), (100.0, False, False), (124.0, False, False), (126.0, False, True), (74.0, False, True),
     (1.0, True, False), (101.0, True, True)],
)  # fmt: skip
def test_a_figure_diverges_when_it_is_a_quarter_off(measured: float | None, at_most: bool, diverges: bool) -> None:
    assert Assumption("a", "number", 100.0, measured, at_most).diverges is diverges


@pytest.mark.parametrize(("value", "met"), [(None, False), (50.0, False), (50.1, True)])
def test_a_trigger_is_met_above_its_limit(value: float | None, met: bool) -> None:
    assert Trigger("write", "seconds", value, 50.0, "move").met is met
