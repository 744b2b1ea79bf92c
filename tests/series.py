"""How many seeds and examples tests run: few by default, many if `make soak` sets SOAK_SEEDS."""

from __future__ import annotations

import os

_USUAL_SEEDS = 3

SEEDS = range(1, 1 + int(os.environ.get("SOAK_SEEDS", _USUAL_SEEDS)))
"""The seeds of a test that is repeated with other random moments or orders."""

SOAKING = len(SEEDS) > _USUAL_SEEDS
"""Whether generated examples differ from run to run; in a usual run they are always the same."""

ONE_EACH = SEEDS if SOAKING else SEEDS[:1]
"""The seeds of a test that is repeated for many commands, where each command's name draws other moments: in a usual run one each."""


def examples(usual: int = 100) -> int:
    """Return how many examples Hypothesis generates; `usual` is the number in a usual run."""
    return max(usual, usual * len(SEEDS) // _USUAL_SEEDS)
