"""The confidence of a tag: how the score of a model becomes the probability that the tag fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VERDICTS_NEEDED = 50
"""With fewer verdicts of a person, a fit says more about the few pictures than about the tag."""
_KIND_NEEDED = 5
"""At least so many verdicts must say yes, and so many no."""
_PRIOR_WEIGHT = 1.0
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Curve:
    """confidence = 1 / (1 + exp(-(slope * raw + intercept))). verdicts: it was fitted to; 0: it was not."""

    slope: float
    intercept: float
    verdicts: int = 0

    def confidence(self, raw: float) -> float:
        """Return the confidence, 0 to 1, for a model's score."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.slope * raw + self.intercept))))


def fitted(raw: Sequence[float], fits: Sequence[bool], prior: Curve) -> Curve | None:
    """Return the curve that agrees best with verdicts, None if there are too few of them.

    raw: the scores of pictures. fits: whether a person said that the tag fits. prior: the curve without verdicts; a weak
    pull to it keeps the fit finite where the scores separate the verdicts completely. A curve that falls is refused:
    then the model does not see the tag, and no threshold helps.
    """
    yes = sum(fits)
    if len(raw) < VERDICTS_NEEDED or min(yes, len(raw) - yes) < _KIND_NEEDED:
        return None
    scores = np.asarray(raw, np.float64)
    truth = np.asarray(fits, np.float64)
    middle, spread = float(scores.mean()), float(scores.std()) or 1.0
    inputs = np.stack([(scores - middle) / spread, np.ones(len(scores))], axis=1)
    start = np.array([prior.slope * spread, prior.slope * middle + prior.intercept])
    weights = _newton(inputs, truth, start)
    slope = float(weights[0]) / spread
    if slope <= 0:
        return None
    return Curve(slope, float(weights[1]) - slope * middle, len(raw))


def _newton(inputs: NDArray[np.float64], truth: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of a logistic regression, pulled to `start` as if by one more verdict; by Newton's method."""
    weights = np.zeros(2)
    pull = np.diag([_PRIOR_WEIGHT / max(1.0, float(start[0]) ** 2), _PRIOR_WEIGHT / 100])
    for _ in range(_STEPS):
        made = 1 / (1 + np.exp(-np.clip(inputs @ weights, -60, 60)))
        gradient = inputs.T @ (made - truth) + pull @ (weights - start)
        curvature = (inputs * (made * (1 - made))[:, None]).T @ inputs + pull
        step = np.linalg.solve(curvature, gradient)
        length = float(np.abs(step).max())
        weights = weights - step * min(1.0, 4.0 / length if length else 1.0)
        if length < 1e-8:
            break
    return weights
