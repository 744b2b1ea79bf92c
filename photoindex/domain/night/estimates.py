"""Estimates how long work takes, as ranges, from pieces of work that were measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photoindex.durations import spoken

_LEAST, _MOST = 1.22, math.sqrt(2)
"""How far each end of a range is from its middle: at least, because machines are shared; at most, so that it says something."""
_TAIL = 0.05
_STEADY_SECONDS = 20.0
"""Shorter pieces are joined: the few pictures of one piece may be easy or hard ones."""


@dataclass(frozen=True, slots=True)
class Range:
    """A median, and the ends that nine of ten nights lie between."""

    median: float
    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.median + other.median, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Range:
        """Return the range of so many of them."""
        return Range(self.median * factor, self.low * factor, self.high * factor)

    @property
    def inverse(self) -> Range:
        """The rate of a duration, or the duration of a rate."""
        return Range(1 / self.median, 1 / self.high, 1 / self.low)

    def __str__(self) -> str:
        """Say a range of seconds: `2 to 3 h`."""
        low, high = spoken(self.low), spoken(self.high)
        if low == high:
            return f"about {low}"
        same_unit = low.partition(" ")[2] == high.partition(" ")[2]
        return f"{low.partition(' ')[0]} to {high}" if same_unit else f"{low} to {high}"


NOTHING = Range(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """A piece of work: subjects that were finished, and seconds, with the seconds until the model was ready apart."""

    subjects: int
    seconds: float
    opening_seconds: float = 0.0


def seconds_each(pieces: Iterable[Measured]) -> Range | None:
    """Return the seconds that one subject takes, None where nothing was measured. pieces: newest first."""
    speeds = [(one.seconds / one.subjects, one.subjects) for one in _steady(pieces)]
    if not speeds:
        return None
    median = _quantile(speeds, 0.5)
    return _around(median, _quantile(speeds, _TAIL), _quantile(speeds, 1 - _TAIL))


def duration(subjects: int, pieces: Sequence[Measured], overheads: Sequence[float] = ()) -> Range | None:
    """Return how many seconds a run over so many subjects takes; None if unknown.

    overheads: seconds that earlier runs took besides the work itself: planning, opening and closing the model, merging. Without
    any, the openings that were measured with the pieces count.
    """
    each = seconds_each(pieces)
    if each is None:
        return None
    if subjects == 0:
        return NOTHING
    besides = sorted(overheads or [one.opening_seconds for one in pieces if one.opening_seconds])
    if not besides:
        return each.times(subjects)
    return each.times(subjects) + _around(besides[len(besides) // 2], besides[0], besides[-1])


def nights_needed(work: Range, window_seconds: float) -> tuple[int, int]:
    """Return how many windows of a length the work needs, at least and at most."""
    return math.ceil(work.low / window_seconds), math.ceil(work.high / window_seconds)


def _around(median: float, low: float, high: float) -> Range:
    return Range(
        median,
        min(max(low, median / _MOST), median / _LEAST),
        max(min(high, median * _MOST), median * _LEAST),
    )


def _steady(pieces: Iterable[Measured]) -> list[Measured]:
    """Join neighbouring short pieces; what is left over at the end joins the last one."""
    joined: list[Measured] = []
    subjects, seconds = 0, 0.0
    for one in pieces:
        subjects, seconds = subjects + one.subjects, seconds + one.seconds
        if subjects and seconds >= _STEADY_SECONDS:
            joined.append(Measured(subjects, seconds))
            subjects, seconds = 0, 0.0
    if subjects and seconds:
        last = joined.pop() if joined else Measured(0, 0.0)
        joined.append(Measured(last.subjects + subjects, last.seconds + seconds))
    return joined


def _quantile(values: Sequence[tuple[float, int]], share: float) -> float:
    """Return the value below which this share of the weights lies. values: (value, weight)."""
    total = sum(weight for _, weight in values)
    seen = 0.0
    for value, weight in sorted(values):
        seen += weight
        if seen >= share * total:
            return value
    return max(value for value, _ in values)
