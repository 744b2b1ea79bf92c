"""Numbers of photos by year, month, camera, lens and so on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import Note, SearchRequest, find
from photoindex.library.search.hits import camera_name
from photoindex.progress import EventSink, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.search import statistics as store

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Value = int | float | str


class Order(StrEnum):
    """The order of a group's values, and which of them stay where it is shortened.

    TIME: ascending, the latest stay. CYCLE: ascending, all stay. NUMBER: ascending, the most frequent stay. FREQUENT: the
    most frequent first.
    """

    TIME = "time"
    CYCLE = "cycle"
    NUMBER = "number"
    FREQUENT = "frequent"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that photos are counted by.

    key: what the store counts. value: returns the value of a counted text, None where it is not known.
    label: returns a value as people read it.
    """

    name: str
    title: str
    key: str
    order: Order
    value: Callable[[str], Value | None]
    label: Callable[[Value], str] = str


def _day(known: str) -> int | None:
    try:
        return date.fromisoformat(known).isoweekday() if len(known) == 10 else None
    except ValueError:
        return None


def _camera(counted: str) -> str | None:
    make, both, model = counted.partition("\n")
    return camera_name(make, model if both else None)


_ALL = (
    Dimension("year", "Year", "day", Order.TIME, lambda day: day[:4]),
    Dimension("month", "Month", "day", Order.TIME, lambda day: day[:7] if len(day) >= 7 else None),
    Dimension("weekday", "Weekday", "day", Order.CYCLE, _day, lambda number: WEEKDAYS[int(number) - 1]),
    Dimension("hour", "Hour", "hour", Order.CYCLE, int, lambda hour: f"{hour:02}:00"),
    Dimension("camera", "Camera", "camera", Order.FREQUENT, _camera),
    Dimension("lens", "Lens", "lens", Order.FREQUENT, str),
    Dimension("focal", "Focal length", "focal", Order.NUMBER, float, lambda millimetres: f"{millimetres:g} mm"),
    Dimension("iso", "ISO", "iso", Order.NUMBER, int),
    Dimension("place", "Place", "place", Order.FREQUENT, str),
)
DIMENSIONS: Mapping[str, Dimension] = {one.name: one for one in _ALL}
"""What photos can be counted by, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value, as people read it too, and how many photos have it."""

    value: Value
    label: str
    photos: int


@dataclass(frozen=True, slots=True)
class Group:
    """The numbers of one dimension. unknown: photos without a value. others, other_values: photos and values left out."""

    dimension: Dimension
    bars: tuple[Bar, ...]
    unknown: int
    others: int = 0
    other_values: int = 0

    def shortened(self, limit: int) -> Group:
        """Return the group with at most `limit` values, as its order says; weekdays and hours stay complete."""
        order = self.dimension.order
        if len(self.bars) <= limit or order is Order.CYCLE:
            return self
        if order is Order.TIME:
            kept = self.bars[len(self.bars) - limit :]
        else:
            frequent = set(sorted(self.bars, key=lambda bar: -bar.photos)[:limit])
            kept = tuple(bar for bar in self.bars if bar in frequent)
        left_out = sum(bar.photos for bar in self.bars) - sum(bar.photos for bar in kept)
        return replace(self, bars=kept, others=left_out, other_values=len(self.bars) - len(kept))


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of the photos that match. of_file: photos whose only time is that of their file, where times are counted.

    notes: how the query was answered.
    """

    photos: int
    groups: tuple[Group, ...]
    of_file: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def without_time(self) -> str:
        """What follows the number of photos, where for some only the time of the file is known; else ""."""
        if not self.of_file:
            return ""
        return f"; for {self.of_file:,} of them only the time of the file is known, which is not counted"


def dimensions(written: str) -> tuple[Dimension, ...]:
    """Return the dimensions of a list with commas, each once. Raises UsageError for an unknown one."""
    names = [name.strip().lower() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in DIMENSIONS:
            near = get_close_matches(name, DIMENSIONS, n=1)
            known = f"did you mean {near[0]}?" if near else f"choose of {', '.join(DIMENSIONS)}"
            raise UsageError(f"--by: photos are not counted by '{name}'; {known}")
    if not names:
        raise UsageError(f"--by needs a name, or several with commas: {', '.join(DIMENSIONS)}")
    return tuple(DIMENSIONS[name] for name in dict.fromkeys(names))


def count(library: Library, query: Node, by: Sequence[Dimension] = _ALL, emit: EventSink = ignore_events) -> Statistics:
    """Count the photos that a query finds, the same ones as `search --count`. Raises as `find` does."""
    result = find(library, SearchRequest(query, complete=True), emit)
    chosen = result.tree if result.answer is None else [one.photo_id for one in result.answer.ranked]
    keys = list(dict.fromkeys(one.key for one in by))
    with library.database.read() as connection:
        total, of_file, counted = store.counts(connection, chosen, keys)
    groups = tuple(_group(one, counted[one.key], total) for one in by)
    timed = any(one.key in ("day", "hour") for one in by)
    return Statistics(total, groups, of_file if timed else 0, result.notes)


def _group(dimension: Dimension, counted: Mapping[str, int], total: int) -> Group:
    photos: Counter[Value] = Counter()
    for text, number in counted.items():
        value = dimension.value(text)
        if value not in (None, ""):
            photos[value] += number
    bars = (Bar(value, dimension.label(value), number) for value, number in photos.items())
    ordered = (
        sorted(bars, key=lambda bar: (-bar.photos, bar.label))
        if dimension.order is Order.FREQUENT
        else sorted(bars, key=lambda bar: bar.value)
    )
    return Group(dimension, tuple(ordered), total - sum(photos.values()))
