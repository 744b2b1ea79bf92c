"""Finding lines of text in pictures: a network that marks the pixels of text, and the boxes around them.

The network and the way from its answer to boxes are Differentiable Binarization (https://arxiv.org/abs/1911.08947), with
RapidOCR's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.models.network import Network

_STRIDE = 32
_SHORTER_SIDES = (1 / 4, 9 / 16, 11 / 16, 3 / 4, 1.0)
"""Shorter sides of the network's input, as fractions of the longer one; the runtime keeps memory for every shape."""
_LONGER_SIDES = (1 / 4, 1 / 2, 1.0)
"""Longer sides of it, for pictures that are smaller than a look at twice their size."""
_ENLARGED_MAX = 2.0
"""Small pictures are enlarged this much at most."""
_TEXT_PIXEL = 0.3
_TEXT_BOX = 0.5
_GROWN = 1.6
"""The network marks the core of a line; its box is larger by this share of its area over its perimeter."""
_SHORTEST_SIDE_PX = 3
_LARGEST = 0.6
"""A line fills less than this share of a picture."""
BOXES_MAX = 1000
"""Lines of one picture, as found by one look."""
_COVERED = 0.5

Boxes = NDArray[np.float32]
"""[n, 4, 2]: x and y in pixels of the corners, clockwise from the upper left one of a box that is not turned far."""


class TextDetector:
    """Looks for lines of text. looks_px: longer sides at which a picture is seen, ascending.

    A picture no larger than a look is seen by the looks up to the first that shows it whole.
    """

    def __init__(self, network: Network, looks_px: Sequence[int]) -> None:
        self._network = network
        self._looks = tuple(looks_px)

    def find(self, picture: NDArray[np.uint8]) -> Boxes:
        """Return the boxes of lines in a picture, uint8 RGB [height, width, 3]. Raises OutOfDeviceMemory, DeviceLost."""
        longest = max(picture.shape[:2])
        found = self._look(picture, self._looks[0])
        for larger, smaller in zip(self._looks[1:], self._looks, strict=False):
            if longest > smaller:
                found = merged(self._look(picture, larger), found)
        return found

    def _look(self, picture: NDArray[np.uint8], longest_px: int) -> Boxes:
        import cv2

        height, width = picture.shape[:2]
        scale = min(longest_px / max(height, width), _ENLARGED_MAX)
        seen_height, seen_width = max(1, round(height * scale)), max(1, round(width * scale))
        high, wide = _canvas(seen_height, seen_width, longest_px)
        seen = cv2.resize(
            picture, (seen_width, seen_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        )
        # Its edge goes on to the end of the canvas: on anything else, the picture itself looks like a line.
        seen = cv2.copyMakeBorder(seen, 0, high - seen_height, 0, wide - seen_width, cv2.BORDER_REPLICATE)
        # The network was trained on B, G, R in -1 to 1.
        canvas = seen[None, ..., ::-1].transpose(0, 3, 1, 2) / np.float32(127.5) - 1
        marked = self._network.run(canvas)[0][0, 0, :seen_height, :seen_width]
        boxes = _boxes_of(marked) * np.array([width / seen_width, height / seen_height], np.float32)
        return np.clip(boxes, 0, np.array([width, height], np.float32))


def _canvas(height: int, width: int, longest_px: int) -> tuple[int, int]:
    """Return height and width of the network's input for a picture: one of few shapes."""
    longer = next(side for share in _LONGER_SIDES if (side := _stepped(share * longest_px)) >= max(height, width))
    shorter = next(side for share in _SHORTER_SIDES if (side := _stepped(share * longer)) >= min(height, width))
    return (shorter, longer) if height < width else (longer, shorter)


def _stepped(length: float) -> int:
    return -(-round(length) // _STRIDE) * _STRIDE


def _boxes_of(marked: NDArray[np.float32]) -> Boxes:
    """Return the boxes around text, from the probability of each pixel to be text: [height, width]."""
    import cv2

    mask = cv2.dilate((marked > _TEXT_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours: Sequence[Any] = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    boxes = []
    for contour in contours[:BOXES_MAX]:
        centre, (width, height), turned = cv2.minAreaRect(contour)
        if min(width, height) < _SHORTEST_SIDE_PX:
            continue
        if _mean_inside(marked, _corners(centre, (width, height), turned)) < _TEXT_BOX:
            continue
        more = _GROWN * width * height / (width + height)
        # Pictures that are one pattern look like a single line.
        if width * height < _LARGEST * marked.size:
            boxes.append(_clockwise(_corners(centre, (width + more, height + more), turned)))
    return np.array(boxes, np.float32).reshape(-1, 4, 2)


def _corners(centre: Sequence[float], size: tuple[float, float], turned: float) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.boxPoints((centre, size, turned)), np.float32)


def _mean_inside(marked: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    import cv2

    last = np.array([marked.shape[1] - 1, marked.shape[0] - 1])
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, last).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, last).astype(int)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(marked[top : bottom + 1, left : right + 1], inside)[0])


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the corners of a rectangle clockwise from the upper left one."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    upper_left, lower_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    upper_right, lower_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([upper_left, upper_right, lower_right, lower_left], np.float32)


def merged(close: Boxes, far: Boxes) -> Boxes:
    """Return the lines that a close and a far look found: those of the close one, and what only the far one saw whole.

    Close up, large letters fall apart; from afar, small ones are not seen.
    """
    kept = list(close)
    for box in far:
        inside = [_share_inside(one, box) for one in kept]
        covered = sum(_area(one) * share for one, share in zip(kept, inside, strict=True))
        if covered < _COVERED * _area(box):
            kept = [one for one, share in zip(kept, inside, strict=True) if share < _COVERED]
            kept.append(box)
    return np.array(kept, np.float32).reshape(-1, 4, 2)


def _share_inside(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the share of a box that lies inside another."""
    import cv2

    area = _area(one)
    return float(cv2.intersectConvexConvex(one, other)[0]) / area if area else 1.0


def _area(box: NDArray[np.float32]) -> float:
    x, y = box[:, 0], box[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
