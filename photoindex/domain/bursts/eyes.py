"""How open eyes are, by their crops at the landmarks of a face; a comparison of frames of one face, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.bursts.values import Eyes, Point

LEAST_APART_PX = 30.0
"""Distance of the eyes in the preview from which a closed eye can be told."""
_APART_PX = 64.0
_PATCH = (48, 32)
"""Width and height of a patch, at _APART_PX between the eyes."""
_IRIS_PX = 4.5
_REACH = slice(10, 23), slice(15, 34)
"""Rows and columns of a patch where the iris may be; the brow is outside."""
_AROUND = slice(6, 26), slice(6, 42)
_CORE = slice(5, 27), slice(7, 41)
_SKIN_PERCENTILE = 80
_CLOSED_OPENNESS = 0.8
"""Eyes look closed below this part of the openness in the face's most open frame …"""
_CLOSED_LIKENESS = 0.75
"""… if they also look different from there: correlation of the patches."""
_OPEN_OPENNESS, _OPEN_LIKENESS = 0.85, 0.8
"""Another frame that reaches both confirms that the most open one is open; docs/bursts.md has the figures."""


def eyes_of(grey: NDArray[np.uint8], centres: tuple[Point, Point]) -> Eyes | None:
    """Return both eyes of a face; grey: uint8 [h, w]; centres: fractions of it. None where they are too small."""
    import cv2

    height, width = grey.shape
    points = [(x * width, y * height) for x, y in centres]
    across, down = points[1][0] - points[0][0], points[1][1] - points[0][1]
    apart = float(np.hypot(across, down))
    if apart < LEAST_APART_PX:
        return None
    scale = _APART_PX / apart
    angle = float(np.degrees(np.arctan2(down, across)))
    patches = []
    for x, y in points:
        turn = np.asarray(cv2.getRotationMatrix2D((x, y), angle, scale), np.float64)
        turn[:, 2] += _PATCH[0] / 2 - x, _PATCH[1] / 2 - y
        patches.append(_patch(grey, turn, (x, y), scale))
    openness = tuple(_openness(one) for one in patches)
    return Eyes((openness[0], openness[1]), np.stack(patches).round().astype(np.uint8))


def look_closed(eyes: Eyes, others: Sequence[Eyes]) -> bool:
    """Return whether eyes look closed beside those of the same face in the other frames of a burst.

    They are less open than in the most open frame and do not look as there, and another frame does.
    """
    if not others:
        return False
    most = max(others, key=lambda one: sum(one.openness))
    if _openness_beside(eyes, most) >= _CLOSED_OPENNESS or _likeness(eyes, most) >= _CLOSED_LIKENESS:
        return False
    return any(
        _openness_beside(one, most) >= _OPEN_OPENNESS and _likeness(one, most) >= _OPEN_LIKENESS
        for one in others
        if one is not most
    )


def _openness_beside(eyes: Eyes, most: Eyes) -> float:
    return sum(eyes.openness) / max(sum(most.openness), 1e-6)


def _patch(grey: NDArray[np.uint8], turn: NDArray[np.float64], centre: Point, scale: float) -> NDArray[np.float32]:
    import cv2

    around = int(_PATCH[0] / scale) + 4
    left, top = max(0, int(centre[0]) - around), max(0, int(centre[1]) - around)
    part = grey[top : int(centre[1]) + around, left : int(centre[0]) + around].astype(np.float32)
    if not part.size:
        return np.zeros(_PATCH[::-1], np.float32)
    if scale < 1:
        part = cv2.GaussianBlur(part, (0, 0), 0.4 / scale).astype(np.float32)
    moved = turn.copy()
    moved[:, 2] += turn[:, :2] @ (left, top)
    warped = cv2.warpAffine(part, moved, _PATCH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def _openness(patch: NDArray[np.float32]) -> float:
    """Return the geometric mean of two signs of an iris: a dark disc, and vertical edges; a closed lid has neither."""
    import cv2

    skin = max(float(np.percentile(patch, _SKIN_PERCENTILE)), 8.0)
    disc = cv2.filter2D(patch, -1, _disc())[_REACH]
    dark = max(0.0, (skin - float(disc.min())) / skin)
    smooth = cv2.GaussianBlur(patch, (0, 0), 1.2)
    across, down = (float(np.square(cv2.Sobel(smooth, cv2.CV_32F, *axes)[_AROUND]).sum()) for axes in ((1, 0), (0, 1)))
    return float(np.sqrt(dark * across / (across + down + 1)))


@cache
def _disc() -> NDArray[np.float32]:
    away = np.arange(-5, 6)
    inside = (np.square(away)[:, None] + np.square(away)[None] <= _IRIS_PX**2).astype(np.float32)
    return np.asarray(inside / inside.sum(), np.float32)


def _likeness(eyes: Eyes, others: Eyes) -> float:
    """Return the mean correlation of the patches where they fit best, -1 to 1; they may be shifted by a few pixels."""
    import cv2

    found = [
        float(cv2.matchTemplate(patch, np.ascontiguousarray(other[_CORE]), cv2.TM_CCOEFF_NORMED).max())
        for patch, other in zip(eyes.patches, others.patches, strict=True)
    ]
    return sum(found) / len(found)
