"""Lines of text as parts of a picture: cut out and turned upright, and in the order in which people read them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.types import TextLine

_UPRIGHT = 1.5
"""What is this much higher than wide is a line that goes down or up."""
_SAME_ROW = 0.5
"""Lines are in one row if their middles are no further apart than this share of the lower one's height."""


def cut_out(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a line as uint8 RGB [height, width, 3], wider than high, and its corners from the line's own upper left one.

    corners: [4, 2] in pixels, clockwise from the upper left one. Lines that go down or up are turned; they may be upside down.
    """
    import cv2

    if _length(corners, 0, 3) >= _UPRIGHT * _length(corners, 0, 1):
        corners = np.roll(corners, -1, axis=0)
    width, height = max(1, round(_length(corners, 0, 1))), max(1, round(_length(corners, 0, 3)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(corners), target)
    line = cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(line, np.uint8), corners


def _length(corners: NDArray[np.float32], one: int, other: int) -> float:
    return float(np.linalg.norm(corners[one] - corners[other]))


def as_line(text: str, score: float, corners: NDArray[np.float32], shape: tuple[int, ...]) -> TextLine:
    """Return a line with its corners as fractions of a picture of this shape, height first."""
    height, width = shape[:2]
    fractions = np.clip(corners / np.array([width, height]), 0, 1)
    return TextLine(text, tuple((round(float(x), 5), round(float(y), 5)) for x, y in fractions), round(score, 4))


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return lines from top to bottom, and those of one row from left to right, as seen when most lines are upright.

    Columns of Chinese and Japanese, which go down, come from right to left.
    """
    turns = _most_common_turns(lines)
    rows: list[list[_Placed]] = []
    for placed in sorted((_placed(line, turns) for line in lines), key=lambda one: one.middle):
        last = rows[-1][-1] if rows else None
        if last is not None and placed.middle - last.middle <= _SAME_ROW * min(placed.height, last.height):
            rows[-1].append(placed)
        else:
            rows.append([placed])
    return [one.line for row in rows for one in sorted(row, key=lambda one: one.left)]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line, and where it is as seen by a reader: fractions of the picture."""

    line: TextLine
    left: float
    middle: float
    height: float


def _placed(line: TextLine, turns: int) -> _Placed:
    points = [_TURNED[turns](x, y) for x, y in line.corners]
    across, down = [x for x, _ in points], [y for _, y in points]
    return _Placed(line, min(across), sum(down) / len(down), max(down) - min(down))


_TURNED: tuple[Callable[[float, float], tuple[float, float]], ...] = (
    lambda x, y: (x, y),
    lambda x, y: (y, 1 - x),
    lambda x, y: (1 - x, 1 - y),
    lambda x, y: (1 - y, x),
)
"""Where a point is for a reader, for text that goes to the right, down, to the left, up."""


def _most_common_turns(lines: Sequence[TextLine]) -> int:
    """Return by how many quarters most letters are turned clockwise."""
    letters: Counter[int] = Counter()
    for line in lines:
        (x, y), (end_x, end_y) = line.corners[:2]
        quarters = round(math.atan2(end_y - y, end_x - x) / (math.pi / 2)) % 4
        letters[quarters] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0
