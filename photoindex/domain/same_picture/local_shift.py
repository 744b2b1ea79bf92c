"""Measuring what tells copies from separate shots of one scene: shifts of its parts, and noise."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.alignment import Map, chained, inverse, scale_of, scaling, step
from photoindex.domain.same_picture.features import Plane, even_light

MAXIMUM_PX = 1.0
"""Two shots of a scene move against each other by more than this, nine of ten edits of one picture do not."""
SAME_NOISE = 0.95
"""From here on the noise is that of one shot: separate shots of a tripod or a burst reached 0.9."""
_FINE_PX = 1.5
_FLAT_PX = 9
_FLAT_SHARE = 0.3
_LEAST_FLAT = 2000
_LEAST_NOISE = 0.4
_DARK, _BRIGHT = 8, 247
_BLOCK_PX = 48
_QUANTILE = 0.9
_LEAST_CONTRAST = 4.0
_LEAST_BLOCKS = 6
_ROUNDS = 8
_FURTHEST_PX = 12.0


def noise_likeness(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return how alike the noise of two whole pictures is: the correlation of fine detail in flat areas, 0 where there is none.

    first, second: grey, uint8 [h, w], of nearly the same proportions. Noise differs from shot to shot and survives a light
    compression, while everything else in two shots of a still subject can be alike.
    """
    import cv2

    size = min(first.shape[1], second.shape[1]), min(first.shape[0], second.shape[0])
    planes = [cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float32) for one in (first, second)]
    smooth = [cv2.GaussianBlur(one, (0, 0), _FINE_PX) for one in planes]
    fine = [one - other for one, other in zip(planes, smooth, strict=True)]
    structure = cv2.blur(np.abs(cv2.Laplacian(smooth[0] + smooth[1], cv2.CV_32F)), (_FLAT_PX, _FLAT_PX))
    lit = (smooth[0] > _DARK) & (smooth[0] < _BRIGHT)
    if np.count_nonzero(lit) < _LEAST_FLAT:
        return 0.0
    flat = lit & (structure <= np.quantile(structure[lit], _FLAT_SHARE))
    a, b = fine[0][flat], fine[1][flat]
    if min(a.std(), b.std()) < _LEAST_NOISE:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def local_shift(first: NDArray[np.uint8], second: NDArray[np.uint8], map_: Map) -> float | None:
    """Return the 90 % quantile of the shifts that remain, in pixels of the coarser picture; None if there is too little to see.

    first, second: grey, uint8 [h, w]. map_: from the pixels of the first to those of the second, roughly.
    """
    import cv2

    if scale_of(map_) < 1:
        map_ = inverse(map_)
        first, second = second, first
    height, width = first.shape
    scale = max(1.0, scale_of(map_))
    small = max(8, round(second.shape[1] / scale)), max(8, round(second.shape[0] / scale))
    other = cv2.resize(second, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    one = first.astype(np.float32)
    start = chained(map_, scaling(second.shape, small[::-1]))
    found = step(even_light(one), even_light(other), start, rounds=_ROUNDS)
    if found is None:
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(other, found, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(other), found, (width, height), flags=flags) > 0.99
    shifts = _shifts(one, cast("Plane", warped), inside)
    return None if len(shifts) < _LEAST_BLOCKS else float(np.quantile(shifts, _QUANTILE))


def _shifts(one: Plane, other: Plane, inside: NDArray[np.bool_]) -> list[float]:
    import cv2

    window = cv2.createHanningWindow((_BLOCK_PX, _BLOCK_PX), cv2.CV_32F)
    found = []
    height, width = one.shape
    for top in range(0, height - _BLOCK_PX + 1, _BLOCK_PX):
        for left in range(0, width - _BLOCK_PX + 1, _BLOCK_PX):
            part = np.s_[top : top + _BLOCK_PX, left : left + _BLOCK_PX]
            a, b = one[part], other[part]
            if not inside[part].all() or min(a.std(), b.std()) < _LEAST_CONTRAST:
                continue
            (across, down), _ = cv2.phaseCorrelate(np.ascontiguousarray(a), np.ascontiguousarray(b), window)
            shift = float(np.hypot(across, down))
            if shift <= _FURTHEST_PX:  # further away, the highest peak is one of noise
                found.append(shift)
    return found
