"""Learns from the user's own stars how much each respect counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.bursts.propose import FIXED_WEIGHTS, respects_of, scenes
from photoindex.domain.bursts.values import Frame

LEAST_FRAMES = 50
"""Frames with stars that are needed, in bursts whose frames are not all rated alike."""
_FOLDS = 5
_PULL = 2.0
"""How strongly the weights are held at the fixed ones: as much as a few pairs."""
_STEPS = 30

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each respect counts. learned: from stars; frames: with stars that were used.

    right, right_fixed: parts of the pairs of frames that these weights, and the fixed ones, put in the user's order; of
    bursts that the weights were not learned from. None without enough stars.
    """

    values: tuple[float, ...] = FIXED_WEIGHTS
    learned: bool = False
    frames: int = 0
    right: float | None = None
    right_fixed: float | None = None


def learn(bursts: Sequence[Sequence[Frame]]) -> Weights:
    """Return weights learned from bursts, or the fixed ones: with too few stars, or if they do not predict them better."""
    frames = sum(one.stars != 0 for burst in bursts for one in burst if _tells(burst))
    if frames < LEAST_FRAMES:
        return Weights(frames=frames)
    pairs = [_pairs(burst) for burst in bursts]
    pairs = [one for one in pairs if len(one)]
    if len(pairs) < _FOLDS:
        return Weights(frames=frames)
    fixed = np.array(FIXED_WEIGHTS)
    right = right_fixed = total = 0.0
    for fold in range(_FOLDS):
        weights = _fit(np.concatenate([one for number, one in enumerate(pairs) if number % _FOLDS != fold]))
        for one in pairs[fold::_FOLDS]:
            # Each burst counts the same, however many pairs it has.
            right += _share_right(one, weights)
            right_fixed += _share_right(one, fixed)
            total += 1
    learned = right > right_fixed
    values = _fit(np.concatenate(pairs)) if learned else fixed
    return Weights(tuple(values.tolist()), learned, frames, right / total, right_fixed / total)


def _tells(burst: Sequence[Frame]) -> bool:
    return len({one.stars for one in burst}) > 1


def _pairs(burst: Sequence[Frame]) -> Rows:
    """Return the differences, better less worse, of all pairs of a scene that the user rated differently: [n, respects]."""
    found = []
    for scene in scenes(burst):
        respects = respects_of(scene)
        found += [
            respects[better] - respects[worse]
            for better, first in enumerate(scene)
            for worse, second in enumerate(scene)
            if first.stars > second.stars
        ]
    return np.array(found).reshape(-1, len(FIXED_WEIGHTS))


def _fit(differences: Rows) -> NDArray[np.float64]:
    """Return the weights of a logistic regression on differences, held near the fixed ones and not negative (Newton)."""
    fixed = np.array(FIXED_WEIGHTS)
    weights = fixed.copy()
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(np.clip(differences @ weights, -50, 50)))
        slope = differences.T @ wrong - _PULL * (weights - fixed)
        curvature = (differences * (wrong * (1 - wrong))[:, None]).T @ differences + _PULL * np.eye(len(fixed))
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return np.asarray(np.maximum(weights, 0.0))


def _share_right(differences: Rows, weights: NDArray[np.float64]) -> float:
    values = differences @ weights
    return float(((values > 0) + 0.5 * (values == 0)).mean())
