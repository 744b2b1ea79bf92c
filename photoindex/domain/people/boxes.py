"""Boxes in a picture: overlap, matching, and turning with the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SAME_PLACE = 0.3
"""Boxes that overlap at least this much (intersection over union) mark the same thing.

Programs draw faces with or without hair and chin, so this is lower than for boxes of one detector; the boxes of two
neighbouring faces hardly overlap at all.
"""
_NARROWEST = 0.005
"""The least width of a column in which boxes are looked up, as a fraction of the picture."""


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
    near = _near(ones, others)
    scored = ((overlap(ones[i], others[j]), i, j) for i, j in near)
    return greedy_pairs(each for each in scored if each[0] >= least)


def greedy_pairs(scored: Iterable[tuple[float, int, int]]) -> list[tuple[int, int]]:
    """Return pairs from (score, one, other), the best score first; each one and each other is in one pair at most."""
    pairs: list[tuple[int, int]] = []
    taken_ones: set[int] = set()
    taken_others: set[int] = set()
    for _score, i, j in sorted(scored, key=lambda each: (-each[0], each[1], each[2])):
        if i not in taken_ones and j not in taken_others:
            pairs.append((i, j))
            taken_ones.add(i)
            taken_others.add(j)
    return pairs


def _near(ones: Sequence[Box], others: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of boxes that share a column of the picture and a row of it.

    Boxes are looked up by columns as wide as the widest, so that ten thousand faces of a crowd do not make a hundred
    million pairs.
    """
    step = max(_NARROWEST, *(box.width for box in others)) if others else _NARROWEST
    columns: dict[int, list[int]] = {}
    for j, box in enumerate(others):
        columns.setdefault(_column(box.x, step), []).append(j)
    for i, one in enumerate(ones):
        for column in range(_column(one.x, step) - 1, _column(one.x + one.width, step) + 1):
            for j in columns.get(column, ()):
                other = others[j]
                if other.y < one.y + one.height and one.y < other.y + other.height:
                    yield i, j


def _column(x: float, step: float) -> int:
    # What a file says may lie anywhere, or be no number.
    return int(min(2.0, max(-1.0, x)) // step)


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
