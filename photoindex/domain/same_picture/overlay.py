"""Recognising a line of words that was laid over one of two pictures which are otherwise the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.features import Plane

_WIDER = 3.0
"""A line of words is at least this many times as wide as high."""
_AREA = 0.1
_INSIDE = 0.85
_LEVELS = 12.0
_ONE_SIGN = 0.93
_LEAST_PIXELS = 30

Box = tuple[slice, slice]


def line_of_words(differing: NDArray[np.bool_], step_px: int, pictures: tuple[Plane, Plane]) -> Box | None:
    """Return where a line of words lies, as slices of the grid; None if what differs is not one, or something else too.

    differing: bool [h, w], windows that show something else, `step_px` apart. pictures: both, aligned, in grey. Words are of one
    colour, so all that they change becomes brighter, or darker; what comes into a scene does both.
    """
    import cv2

    total = np.count_nonzero(differing)
    if not total:
        return None
    joined = cv2.dilate(differing.astype(np.uint8), np.ones((3, 5), np.uint8))
    count, labels, found, _ = cv2.connectedComponentsWithStats(joined)
    members = [np.count_nonzero(differing & (labels == number)) for number in range(1, count)]
    largest = 1 + int(np.argmax(members))
    left, top, width, height = (int(value) for value in found[largest][:4])
    if members[largest - 1] < _INSIDE * total or width < _WIDER * height or width * height > _AREA * differing.size:
        return None
    box = np.s_[top : top + height, left : left + width]
    return box if _has_one_sign(pictures, (top, left, height, width), step_px) else None


def _has_one_sign(pictures: tuple[Plane, Plane], box: tuple[int, int, int, int], step_px: int) -> bool:
    top, left, height, width = (value * step_px for value in box)
    part = np.s_[top : top + height, left : left + width]
    outside = np.ones(pictures[0].shape, np.bool_)
    outside[part] = False
    slope, offset = np.polyfit(pictures[0][outside], pictures[1][outside], 1)
    change = pictures[1][part] - (slope * pictures[0][part] + offset)
    brighter, darker = np.count_nonzero(change > _LEVELS), np.count_nonzero(change < -_LEVELS)
    return bool(max(brighter, darker) >= max(_LEAST_PIXELS, _ONE_SIGN * (brighter + darker)))
