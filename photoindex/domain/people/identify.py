"""Whom a face shows, judged by its nearest faces in the library."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.people.calibration import Calibration

NEAREST = 3
"""How many of the nearest faces of a person decide, as when faces join groups."""


@dataclass(frozen=True, slots=True)
class Match:
    """How alike a face is to a person.

    likeness: the mean cosine of the person's nearest faces; faces that the person does not have count like faces of
    strangers. confidence: the chance that no face of a stranger in the library is as alike as the nearest one, 0 to 1.
    nearest: face -> cosine, the most alike first.
    """

    person: int
    likeness: float
    confidence: float
    nearest: tuple[tuple[int, float], ...]

    @property
    def cosine(self) -> float:
        """Of the nearest face."""
        return self.nearest[0][1]


def matches(
    faces: NDArray[np.int64],
    persons: NDArray[np.int64],
    cosines: NDArray[np.float32],
    calibration: Calibration,
    *,
    among: int,
) -> list[Match]:
    """Return the people that a face is like, the most alike first.

    faces, persons, cosines: [n], the nearest faces of each person, at least NEAREST where there are so many. among: how
    many faces the library has.
    """
    order = np.lexsort((faces, -cosines, persons))
    found: dict[int, list[tuple[int, float]]] = {}
    for face, person, cosine in zip(
        faces[order].tolist(), persons[order].tolist(), cosines[order].tolist(), strict=True
    ):
        own = found.setdefault(person, [])
        if len(own) < NEAREST:
            own.append((face, cosine))
    made = [_match(person, own, calibration, among) for person, own in found.items()]
    return sorted(made, key=lambda one: (-one.likeness, one.person))


def _match(person: int, own: list[tuple[int, float]], calibration: Calibration, among: int) -> Match:
    missing = NEAREST - len(own)
    likeness = (sum(cosine for _, cosine in own) + missing * calibration.mean) / NEAREST
    chance = 1 - NormalDist(calibration.mean, calibration.deviation).cdf(own[0][1])
    return Match(person, likeness, exp(-chance * among), tuple(own))
