"""What waiting pictures cost, and until when a budget pays for them."""

from __future__ import annotations

from photoindex.library.night.costs import Forecast, SoFar, Wait, forecast
from photoindex.providers.base import Price

VISION = Price(micros_per_1000=1_500_000, free=1_000)
LABELS, TEXT = ("LABEL_DETECTION",), ("TEXT_DETECTION",)


def told(*waits: Wait, budget: float, used: dict[str, int] | None = None, spent: int = 0) -> Forecast:
    return forecast("google_vision", VISION, round(budget * 1e6), waits, SoFar("2026-11", used or {}, spent))


def test_nothing_that_waits_costs_nothing() -> None:
    found = told(budget=5)
    assert (found.micros, found.affordable, found.done_in) == (0, 0, "2026-11")


def test_free_units_of_each_feature_are_taken_off() -> None:
    found = told(Wait("tags", 3_000, LABELS), Wait("ocr", 1_500, TEXT), budget=100)
    assert found.micros == 2_000 * 1_500 + 500 * 1_500
    assert (found.affordable, found.done_in) == (4_500, "2026-11")


def test_stages_that_share_a_feature_share_its_free_units() -> None:
    found = told(Wait("tags", 1_000, LABELS), Wait("caption", 1_000, LABELS), budget=100)
    assert found.micros == 1_000 * 1_500


def test_what_was_used_this_month_counts_for_this_month_alone() -> None:
    found = told(Wait("tags", 2_000, LABELS), budget=1.5, used={"LABEL_DETECTION": 1_500}, spent=750_000)
    assert (found.micros, found.left_micros, found.affordable) == (2_000 * 1_500, 750_000, 500)
    assert found.done_in == "2026-12"  # 1,500 pictures: 1,000 free, 500 of the 1,000 that the budget pays for


def test_months_go_on_until_the_last_picture_is_paid_for() -> None:
    found = told(Wait("tags", 10_000, LABELS), budget=1.5)  # 2,000 a month
    assert (found.affordable, found.done_in) == (2_000, "2027-03")


def test_without_a_budget_the_free_units_are_all_and_without_these_it_is_never_done() -> None:
    assert told(Wait("tags", 2_500, LABELS), budget=0).done_in == "2027-01"
    no_free = forecast("x", Price(1_000_000, 0), 0, [Wait("tags", 1, LABELS)], SoFar("2026-11", {}, 0))
    assert (no_free.micros, no_free.affordable, no_free.done_in) == (1_000, 0, None)
