"""Boxes of two looks, and the order in which lines are read."""

from __future__ import annotations

import numpy as np

from photoindex.models.ocr.detector import merged
from photoindex.models.ocr.lines import as_line, in_reading_order
from photoindex.types import TextLine

SHAPE = (1000, 1000)


def box(left: float, top: float, width: float, height: float) -> np.ndarray:
    right, bottom = left + width, top + height
    return np.float32([(left, top), (right, top), (right, bottom), (left, bottom)])


def line(text: str, *place: float, quarters: int = 0) -> TextLine:
    return as_line(text, 0.9, np.roll(box(*place), -quarters, axis=0), SHAPE)


def order(*lines: TextLine) -> str:
    return " ".join(one.text for one in in_reading_order(lines))


def test_rows_are_read_from_left_to_right_although_their_lines_are_not_quite_level() -> None:
    lines = [line("pass", 400, 96, 200, 40), line("gate", 100, 200, 90, 20), line("boarding", 100, 100, 250, 40)]
    assert order(*lines, line("B42", 300, 204, 60, 20)) == "boarding pass gate B42"


def test_pages_that_lie_on_a_side_or_upside_down_are_read_as_if_upright() -> None:
    down = [line("first", 800, 100, 40, 300, quarters=1), line("second", 700, 100, 40, 300, quarters=1)]
    assert order(*reversed(down)) == "first second"
    up = [line("first", 100, 100, 40, 300, quarters=3), line("second", 200, 100, 40, 300, quarters=3)]
    assert order(*reversed(up)) == "first second"
    over = [line("first", 500, 800, 300, 40, quarters=2), line("second", 100, 800, 300, 40, quarters=2)]
    assert order(*reversed(over)) == "first second"


def test_a_close_look_counts_except_where_large_letters_fall_apart_in_it() -> None:
    small = [box(100, 100, 100, 20), box(210, 100, 100, 20)]
    word, parts = box(100, 400, 600, 200), [box(120, 420, 80, 120), box(300, 420, 90, 120)]
    found = merged(np.stack([*small, *parts]), np.stack([box(95, 95, 220, 30), word]))
    assert found.tolist() == np.stack([*small, word]).tolist()
    assert merged(np.empty((0, 4, 2), np.float32), np.stack([word])).tolist() == [word.tolist()]
