"""Measuring what is left of the shift between two aligned pictures, block by block, and how alike their noise is."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.alignment import Map, scale_of, step
from photoindex.domain.same_picture.features import Plane, even_light

MAXIMUM_PX = 1.0
"""Two shots of a scene move against each other by more than this, nine of ten edits of one picture do not."""
_BLOCK_PX = 48
_QUANTILE = 0.9
_LEAST_CONTRAST = 4.0
_LEAST_BLOCKS = 6
_ROUNDS = 8
_FURTHEST_PX = 12.0


def local_shift(first: NDArray[np.uint8], second: NDArray[np.uint8], map_: Map) -> float | None:
    """Return the 90 % quantile of the shifts that remain, in pixels of the coarser picture; None if there is too little to see.

    first, second: grey, uint8 [h, w]. map_: from the pixels of the first to those of the second, roughly.
    """
    import cv2

    if scale_of(map_) < 1:
        map_ = cast("Map", np.linalg.inv(np.vstack([map_, [0, 0, 1]]))[:2])
        first, second = second, first
    height, width = first.shape
    scale = max(1.0, scale_of(map_))
    small = max(8, round(second.shape[1] / scale)), max(8, round(second.shape[0] / scale))
    shrink = np.diag([small[0] / second.shape[1], small[1] / second.shape[0], 1.0])
    shrink[:2, 2] = 0.5 * np.diag(shrink)[:2] - 0.5
    other = cv2.resize(second, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    one = first.astype(np.float32)
    start = (shrink @ np.vstack([map_, [0, 0, 1]]))[:2]
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
