"""Measures how alike faces are to one model: the thresholds of grouping come from this, not from a constant."""

from __future__ import annotations

import math
import operator
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from photoindex.domain.people.calibration import Calibration
from photoindex.domain.people.calibration import calibrated as measure
from photoindex.domain.people.grouping_values import WAITING, Thresholds
from photoindex.library.handle import Library
from photoindex.library.people.groups.grouping_input import GroupingInput, grouping_input
from photoindex.progress import EventSink, PhaseFinished, PhaseStarted, ignore_events
from photoindex.store.people import grouping
from photoindex.vectors.neighbours import nearest

_FORMAT = 1
_GROWTH = 1.5
"""A library that has grown by this factor since, in faces or in named faces, is measured again."""
_SURE = 1.96
"""Standard deviations on each side of an interval that has 95 %."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration with what it was measured on: faces of the space, and those among them that a person named."""

    calibration: Calibration
    faces: int
    named: int

    def thresholds(self, faces: int) -> Thresholds:
        """Return the thresholds for a library of so many faces."""
        return self.calibration.thresholds(faces)

    def is_current(self, faces: int, named: int) -> bool:
        """Tell whether it still stands for a library of so many faces, so many of them named by a person."""
        grown = faces > self.faces * _GROWTH or faces * _GROWTH < self.faces
        return not grown and named <= max(self.named, 1) * _GROWTH and named * _GROWTH >= self.named

    def as_json(self) -> dict[str, Any]:
        """Return the value that the database keeps."""
        return {"format": _FORMAT, "faces": self.faces, "named": self.named, "measured": asdict(self.calibration)}


@dataclass(frozen=True, slots=True)
class Share:
    """A share that was measured on `of` cases, with the 95 % interval of Wilson."""

    share: float
    low: float
    high: float
    of: int


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What `cluster calibrate` says.

    measured: what was stored. thresholds: for the library as it is. precision: of the named faces that would join
    somebody, the share that would join the right person. recall: the share of named faces, of persons with several, that
    would join theirs. Both None without named faces.
    """

    model: str
    measured: Measured
    thresholds: Thresholds
    precision: Share | None
    recall: Share | None


def from_json(kept: dict[str, Any] | None) -> Measured | None:
    """Parse a stored calibration; None if there is none, or it is of another version or damaged."""
    if not isinstance(kept, dict) or kept.get("format") != _FORMAT:
        return None
    try:
        values = {name: kept["measured"][name] for name in Calibration.__slots__}
        numbers = [value for value in values.values() if isinstance(value, (int, float))]
        if not all(math.isfinite(value) for value in numbers):
            return None
        return Measured(Calibration(**values), operator.index(kept["faces"]), operator.index(kept["named"]))
    except (KeyError, TypeError, ValueError):
        return None


def calibrated(
    library: Library, given: GroupingInput, emit: EventSink = ignore_events, *, keep: bool = True
) -> Measured:
    """Return the calibration of the space; measure it where there is none or the library has changed much since.

    keep: store what was measured.
    """
    kept = from_json(given.space.calibration)
    if kept is not None and kept.is_current(len(given.faces), int(given.rows.fixed.sum())):
        return kept
    return _measured(library, given, emit, keep=keep)


def calibrate(library: Library, emit: EventSink = ignore_events) -> CalibrationReport:
    """Measure the space of faces again and store the result. Raises NothingFound without faces."""
    given = grouping_input(library, emit)
    measured = _measured(library, given, emit, keep=True)
    thresholds = measured.thresholds(len(given.faces))
    precision, recall = _estimates(given, thresholds)
    return CalibrationReport(given.space.model, measured, thresholds, precision, recall)


def _measured(library: Library, given: GroupingInput, emit: EventSink, *, keep: bool) -> Measured:
    emit(PhaseStarted("calibrating", len(given.faces), "faces"))
    began = time.perf_counter()
    person = np.where(given.rows.fixed, given.rows.persons, WAITING)
    found = measure(given.faces.vectors, given.faces.photo, given.faces.repeats_allowed, person)
    measured = Measured(found, len(given.faces), int(given.rows.fixed.sum()))
    if keep:
        with library.database.write() as connection:
            grouping.calibrate(connection, given.space, measured.as_json())
    emit(PhaseFinished("calibrating", len(given.faces), time.perf_counter() - began))
    return measured


def _estimates(given: GroupingInput, thresholds: Thresholds) -> tuple[Share | None, Share | None]:
    """Let each named face join the person of the nearest other named face of another photo."""
    named = np.flatnonzero(given.rows.fixed)
    if len(named) < 2:
        return None, None
    vectors, person, photo = given.faces.vectors[named], given.rows.persons[named], given.rows.photos[named]
    found, cosines = nearest(vectors, vectors, min(len(named), 16))
    other = (found >= 0) & (photo[found] != photo[:, None]) & (cosines >= thresholds.join)
    joins = other.any(axis=1)
    right = joins & (person[found[np.arange(len(named)), other.argmax(axis=1)]] == person)
    several = np.bincount(np.unique(person, return_inverse=True)[1])[np.unique(person, return_inverse=True)[1]] > 1
    return _share(right[joins]), _share(right[several])


def _share(cases: Any) -> Share | None:
    if not len(cases):
        return None
    count, hits = len(cases), int(cases.sum())
    share, spread = hits / count, _SURE**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = _SURE * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Share(share, max(0.0, centre - half), min(1.0, centre + half), count)
