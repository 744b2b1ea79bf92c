"""Boxes in a picture: overlap, matching, and turning with the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAME_PLACE = 0.3
"""Boxes that overlap at least this much (intersection over union) mark the same thing.

Programs draw faces with or without hair and chin, so this is lower than for boxes of one detector; the boxes of two
neighbouring faces hardly overlap at all.
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture; x, y (upper left corner), width, height: fractions of the picture."""

    x: float
    y: float
    width: float
    height: float


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, 0 to 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def matched(ones: Sequence[Box], others: Sequence[Box], *, least: float = SAME_PLACE) -> list[tuple[int, int]]:
    """Return pairs (index in ones, index in others) of boxes that mark the same thing, best overlap first.

    Each box is in one pair at most.
    """
    found = [(overlap(one, other), i, j) for i, one in enumerate(ones) for j, other in enumerate(others)]
    pairs: list[tuple[int, int]] = []
    taken_ones: set[int] = set()
    taken_others: set[int] = set()
    for score, i, j in sorted(found, key=lambda each: (-each[0], each[1], each[2])):
        if score < least:
            break
        if i not in taken_ones and j not in taken_others:
            pairs.append((i, j))
            taken_ones.add(i)
            taken_others.add(j)
    return pairs


def turned(box: Box, orientation: int) -> Box:
    """Return a box of a stored picture as a box of the upright one. orientation: of EXIF, 1 to 8; others count as 1."""
    x, y, width, height = box.x, box.y, box.width, box.height
    right, below = 1 - x - width, 1 - y - height
    turns = {
        2: Box(right, y, width, height),
        3: Box(right, below, width, height),
        4: Box(x, below, width, height),
        5: Box(y, x, height, width),
        6: Box(below, x, height, width),
        7: Box(below, right, height, width),
        8: Box(y, right, height, width),
    }
    return turns.get(orientation, box)
