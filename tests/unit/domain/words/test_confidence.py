"""Confidences fitted to what a person said about tags."""

from __future__ import annotations

import numpy as np
import pytest

from photoindex.domain.words.confidence import VERDICTS_NEEDED, Curve, fitted

PRIOR = Curve(100.0, 0.0)


def judged(count: int, *, middle: float, slope: float, seed: int = 3) -> tuple[list[float], list[bool]]:
    """Scores, and verdicts that follow a logistic curve."""
    random = np.random.default_rng(seed)
    raw = random.uniform(-0.1, 0.1, count)
    fits = random.random(count) < 1 / (1 + np.exp(-slope * (raw - middle)))
    return raw.tolist(), fits.tolist()


def test_a_fit_finds_the_curve_that_verdicts_follow() -> None:
    curve = fitted(*judged(4000, middle=0.03, slope=60.0), PRIOR)
    assert curve is not None
    assert curve.confidence(0.03) == pytest.approx(0.5, abs=0.05)
    assert curve.slope == pytest.approx(60, rel=0.15)
    assert curve.verdicts == 4000


def test_too_few_verdicts_or_of_one_kind_alone_give_no_curve() -> None:
    raw, fits = judged(VERDICTS_NEEDED, middle=0.0, slope=60.0)
    assert fitted(raw, fits, PRIOR) is not None
    assert fitted(raw[1:], fits[1:], PRIOR) is None
    assert fitted(raw, [True] * len(raw), PRIOR) is None


def test_verdicts_that_scores_separate_completely_give_a_finite_curve() -> None:
    raw = np.linspace(-0.1, 0.1, 60).tolist()
    curve = fitted(raw, [one > 0.02 for one in raw], PRIOR)
    assert curve is not None
    assert np.isfinite([curve.slope, curve.intercept]).all()
    assert curve.confidence(0.06) > 0.9
    assert curve.confidence(-0.02) < 0.1


def test_a_tag_that_the_model_gets_the_wrong_way_round_has_no_curve() -> None:
    raw, fits = judged(400, middle=0.0, slope=60.0)
    assert fitted(raw, [not one for one in fits], PRIOR) is None
