"""Plots numbers as SVG: columns along an axis, or bars below their names. Every text is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from photoindex.library.export.photo_cards import one_line

WIDTH = 360
"""Of every chart, in its own units: CSS pixels on a phone."""
_LEFT, _TOP, _PLOT, _AXIS = 38, 8, 112, 18
_ROW = 30
_LETTER = 6.2
"""Width of a letter of the smaller font, about."""
_GRID_LINES = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """One column or bar. name: what it stands for. tick: its text on the axis, empty for none."""

    name: str
    photos: int
    tick: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG elements for a plot WIDTH wide, and its height in the same units."""

    body: str
    height: int


def columns(marks: Sequence[Mark]) -> Chart:
    """Plot marks as columns from left to right, with their ticks below and numbers on the left."""
    step = _nice(max(mark.photos for mark in marks) / _GRID_LINES)
    top = step * max(1, math.ceil(max(mark.photos for mark in marks) / step))
    base = _TOP + _PLOT
    width = (WIDTH - _LEFT) / len(marks)
    gap = min(3.0, width * 0.2) if width > 3 else 0.0
    parts = []
    for number in range(0, top + 1, step):
        y = base - _PLOT * number / top
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="number" x="{_LEFT - 6}" y="{y + 4:.1f}">{_short(number)}</text>')
    for index, mark in enumerate(marks):
        left, height = _LEFT + width * index, _PLOT * mark.photos / top
        # A column of one photo among thousands is still seen.
        height = max(height, 1.0) if mark.photos else 0.0
        if height:
            parts.append(
                f'<rect class="bar" x="{left + gap / 2:.2f}" y="{base - height:.2f}" width="{width - gap:.2f}" '
                f'height="{height:.2f}">{_tip(mark)}</rect>'
            )
    parts += _ticks(marks, width, base + 14)
    return Chart("".join(parts), base + _AXIS)


def _ticks(marks: Sequence[Mark], width: float, y: float) -> Iterator[str]:
    """Yield the texts below the columns; those that would touch the one before are left out."""
    free_from = 0.0
    for index, mark in enumerate(marks):
        half = _LETTER * len(mark.tick) / 2
        middle = min(_LEFT + width * (index + 0.5), WIDTH - half)
        if mark.tick and middle - half >= free_from:
            free_from = middle + half + 8
            yield f'<text class="tick" x="{middle:.1f}" y="{y:.1f}">{escape(mark.tick)}</text>'


def bars(marks: Sequence[Mark]) -> Chart:
    """Plot marks as bars from top to bottom, each below its name and number."""
    most = max(mark.photos for mark in marks)
    parts = []
    for index, mark in enumerate(marks):
        y = _ROW * index
        number = f"{mark.photos:,}"
        room = int((WIDTH - _LETTER * (len(number) + 2)) / _LETTER)
        width = max(WIDTH * mark.photos / most, 1.0)
        parts.append(
            f"<g>{_tip(mark)}"
            f'<text class="name" x="0" y="{y + 12}">{escape(_cut(one_line(mark.name), room))}</text>'
            f'<text class="number" x="{WIDTH}" y="{y + 12}">{number}</text>'
            f'<rect class="rail" x="0" y="{y + 17}" width="{WIDTH}" height="6" rx="1"/>'
            f'<rect class="bar" x="0" y="{y + 17}" width="{width:.2f}" height="6" rx="1"/></g>'
        )
    return Chart("".join(parts), _ROW * len(marks))


def _tip(mark: Mark) -> str:
    return f"<title>{escape(one_line(mark.name))}: {mark.photos:,} {'photo' if mark.photos == 1 else 'photos'}</title>"


def _cut(text: str, room: int) -> str:
    """Return text that fits `room` narrow letters; wide ones, such as Chinese, count twice."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= room else set_cell_size(text, room - 1).rstrip() + "…"


def _nice(step: float) -> int:
    """Return a round number of at least `step`: 1, 2 or 5 and zeros."""
    magnitude = 10 ** max(0, math.floor(math.log10(step))) if step > 0 else 1
    return next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= step)


def _short(number: int) -> str:
    """Return a number for an axis: 1,500 is 1.5k."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return str(number)
