"""The report of a run: what it says of energy."""

from __future__ import annotations

from photoindex.library.night.report import as_json, energy_text
from photoindex.library.night.summary import NightSummary, StepResult


def test_the_energy_of_1000_photos_is_that_of_all_stages_together() -> None:
    steps = [
        StepResult(name="embed", unit="pictures", done=500, joules=1_000.0),
        StepResult(name="faces", unit="pictures", done=100, joules=600.0),
        StepResult(name="cluster", unit="faces", done=7, joules=50.0),
        StepResult(name="ocr", unit="pictures", joules=20.0),
    ]
    summary = NightSummary(started_at=0.0, steps=steps, joules=1_670.0)
    assert as_json(summary)["joules_per_1000"] == 2_000 + 6_000
    assert energy_text(summary) == "0.00 kWh, 8.0 kJ per 1,000 photos"


def test_of_energy_that_is_not_known_nothing_is_said() -> None:
    summary = NightSummary(started_at=0.0, steps=[StepResult(name="embed", unit="pictures", done=500)])
    assert (as_json(summary)["joules_per_1000"], energy_text(summary)) == (None, "")
    summary = NightSummary(started_at=0.0, steps=[StepResult(name="embed", unit="pictures")], joules=3.6e6)
    assert (as_json(summary)["joules_per_1000"], energy_text(summary)) == (None, "1.00 kWh")
