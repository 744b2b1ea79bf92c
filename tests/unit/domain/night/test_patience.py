"""When a run waits for a quiet machine, and when it goes on."""

from __future__ import annotations

import pytest

from photoindex.domain.night.patience import Machine, Patience, QuietLimits, Reason, reason_to_wait

BUSY = Reason("other programs use the GPU", "97%")


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (Machine(on_battery=True), "the computer runs on its battery"),
        (Machine(others_gpu=0.9), "other programs use the GPU"),
        (Machine(others_cpu=0.6), "other programs use the processor"),
        (Machine(celsius=95), "the computer is hot"),
        (Machine(watts=301), "the computer draws much power"),
    ],
)
def test_each_figure_above_its_limit_is_a_reason(seen: Machine, what: str) -> None:
    found = reason_to_wait(seen, QuietLimits(watts=300))
    assert found is not None
    assert found.what == what


def test_what_is_unknown_or_below_its_limit_is_no_reason() -> None:
    assert reason_to_wait(Machine(), QuietLimits(watts=1)) is None
    assert reason_to_wait(Machine(0.5, 0.85, False, 90.0, 300.0), QuietLimits(watts=300)) is None
    assert reason_to_wait(Machine(on_battery=True, watts=900), QuietLimits(on_battery=True)) is None


def test_a_short_burst_does_not_stop_the_work_and_a_short_pause_does_not_resume_it() -> None:
    patience = Patience(busy_seconds=15, calm_seconds=60)
    for now, reason in ((0, BUSY), (10, BUSY), (12, None), (20, BUSY), (34, BUSY)):
        patience.observe(now, reason)
        assert patience.reason is None, now
    patience.observe(35, BUSY)
    assert patience.reason == BUSY
    for now, reason in ((40, None), (90, None), (95, BUSY), (100, None), (159, None)):
        patience.observe(now, reason)
        assert patience.reason is not None, now
    patience.observe(160, None)
    assert patience.reason is None


def test_the_reason_is_always_the_present_one() -> None:
    patience = Patience(reason=BUSY)
    hot = Reason("the computer is hot", "95 °C")
    patience.observe(1, hot)
    assert patience.reason == hot
