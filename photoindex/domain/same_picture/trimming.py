"""Finding what a picture shows inside a plain border, the bars of a screenshot, or a banner with a few words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_OUTERMOST = 2
_LEVELS, _LEVELS_WITH_WORDS = 4, 12
"""How far a pixel of a border may be from its colour, in grey levels: in the outermost lines, and behind them."""
_PLAIN, _WITH_WORDS = 0.97, 0.4
"""Minimum share of such pixels in the outermost lines, and in those behind them, where the rest may be words."""
_LEAST_PX = 24
"""A content is at least this wide and high; a plain picture has no border."""
_STEPS = 65535


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a picture; the edges are fractions of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether this is the whole picture."""
        return (self.left, self.top, self.right, self.bottom) == (0.0, 0.0, 1.0, 1.0)

    @property
    def share(self) -> float:
        """The fraction of the picture's area."""
        return (self.right - self.left) * (self.bottom - self.top)

    def part(self, inner: Rectangle) -> Rectangle:
        """Return a part of this rectangle, given as fractions of it, as fractions of the picture."""
        across, down = self.right - self.left, self.bottom - self.top
        return Rectangle(
            self.left + inner.left * across, self.top + inner.top * down,
            self.left + inner.right * across, self.top + inner.bottom * down,
        )  # fmt: skip

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in pixels of a picture of this size."""
        return (
            round(self.left * width),
            round(self.top * height),
            round(self.right * width),
            round(self.bottom * height),
        )

    def packed(self) -> bytes:
        """Return the rectangle as 8 bytes."""
        edges = np.array([self.left, self.top, self.right, self.bottom])
        return np.round(edges * _STEPS).astype("<u2").tobytes()

    @classmethod
    def unpacked(cls, data: bytes) -> Rectangle:
        """Return the rectangle of `packed`."""
        return cls(*(np.frombuffer(data, "<u2") / _STEPS).tolist())


def content_rectangle(grey: NDArray[np.uint8]) -> Rectangle:
    """Return where the content of a grey picture, uint8 [h, w], is: all of it, or what a plain border leaves."""
    height, width = grey.shape
    top, bottom = _inside(grey)
    left, right = _inside(np.ascontiguousarray(grey[top:bottom].T))
    if (right - left, bottom - top) == (width, height):
        return Rectangle()
    return Rectangle(left / width, top / height, right / width, bottom / height)


def _inside(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the first line after a border at the start, and the line after the last one before a border at the end."""
    start, end = _border(lines), _border(lines[::-1])
    if len(lines) - start - end < _LEAST_PX:
        return 0, len(lines)
    return start, len(lines) - end


def _border(lines: NDArray[np.uint8]) -> int:
    """Return how many lines at the start are a border: first of one colour only, then mostly."""
    colour = int(np.median(lines[:_OUTERMOST]))
    if _share_near(lines[:_OUTERMOST], colour, _LEVELS).min(initial=1.0) < _PLAIN:
        return 0
    inside = _share_near(lines, colour, _LEVELS_WITH_WORDS) < _WITH_WORDS
    return int(np.argmax(inside)) if inside.any() else len(lines)


def _share_near(lines: NDArray[np.uint8], colour: int, levels: int) -> NDArray[np.float64]:
    """Return what share of the pixels of each line has nearly this colour."""
    import cv2

    near = cv2.inRange(lines, max(0, colour - levels), min(255, colour + levels))
    return cv2.reduce(near, 1, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel() / 255
