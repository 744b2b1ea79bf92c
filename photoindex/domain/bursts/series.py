"""Telling bursts from exposure brackets and time-lapses, which have no best frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from photoindex.domain.bursts.values import Series, Shot

_BRACKET_LENGTHS = (3, 5, 7, 9)
_LEAST_STEP_EV = 0.6
"""Automatic exposure changes less from one frame to the next; the smallest usual step of a bracket is 2/3 EV."""
_SAME_EV = 0.17
"""Cameras round exposures to a third; two that are meant to be equal differ by less than half of that."""
_TIME_LAPSE_SHOTS = 10
_TIME_LAPSE_GAP_SECONDS = 0.8
_TIME_LAPSE_VARIATION = 0.1


def exposure_ev(exposure_seconds: float | None, aperture: float | None, iso: float | None) -> float | None:
    """Return how bright a scene is rendered, in EV; only differences mean something. None if a value is unknown."""
    if not (exposure_seconds and aperture and iso) or min(exposure_seconds, aperture, iso) <= 0:
        return None
    return math.log2(exposure_seconds * iso / aperture**2)


def series_of(shots: Sequence[Shot], *, stated: bool = False) -> Series:
    """Return what a run of shots is, in the order of time. stated: the camera itself says that it is a burst.

    A bracket repeats 3, 5, 7 or 9 exposures with equal steps of 2/3 EV or more. A time-lapse has 10 shots or more, with
    equal pauses of about a second.
    """
    if _is_bracket([one.exposure_ev for one in shots]):
        return Series.BRACKET
    if not stated and _is_time_lapse([one.wall_seconds for one in shots]):
        return Series.TIME_LAPSE
    return Series.BURST


def _is_bracket(exposures: Sequence[float | None]) -> bool:
    known = [one for one in exposures if one is not None]
    if len(known) < len(exposures):
        return False
    return any(len(known) % length == 0 and _repeats(known, length) for length in _BRACKET_LENGTHS if known)


def _repeats(exposures: Sequence[float], length: int) -> bool:
    cycle = exposures[:length]
    if any(abs(one - cycle[place % length]) > _SAME_EV for place, one in enumerate(exposures)):
        return False
    ordered = sorted(cycle)
    steps = [after - before for before, after in pairwise(ordered)]
    return min(steps) >= _LEAST_STEP_EV and max(steps) - min(steps) <= 2 * _SAME_EV


def _is_time_lapse(times: Sequence[float | None]) -> bool:
    known = [one for one in times if one is not None]
    if len(known) < max(len(times), _TIME_LAPSE_SHOTS):
        return False
    gaps = [after - before for before, after in pairwise(known)]
    return min(gaps) >= _TIME_LAPSE_GAP_SECONDS and max(gaps) - min(gaps) <= _TIME_LAPSE_VARIATION * max(gaps)
