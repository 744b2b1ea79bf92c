"""The frames of a burst, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
FAVOURITE, CHOSEN = 6, 7
"""More than any stars: a favourite, and a frame that was chosen from its burst."""


class Series(StrEnum):
    """What shots in quick succession are."""

    BURST = "burst"
    BRACKET = "bracket"
    TIME_LAPSE = "time-lapse"


class Choice(StrEnum):
    """What is proposed for a frame. UNKNOWN: its preview cannot be read."""

    BEST = "best"
    OTHER = "other"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shot:
    """When and how a frame was taken. wall_seconds: local time, None if unknown.

    exposure_ev: binary logarithm of exposure time, aperture and sensitivity together; None if one of them is unknown.
    """

    wall_seconds: float | None = None
    exposure_ev: float | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A known face. x, y: its left and upper edge; all four are fractions of the picture. person: the id of the individual, None if unknown.

    eyes: centres of both eyes; None if they are unknown, or the face looks to the side.
    """

    x: float
    y: float
    width: float
    height: float
    person: int | None = None
    eyes: tuple[Point, Point] | None = None


class Eyes(NamedTuple):
    """Both eyes of a face. openness: larger is more open, comparable only between pictures of one face in one light.

    patches: uint8 [2, 32, 48], upright, the eye in the middle.
    """

    openness: tuple[float, float]
    patches: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FaceMeasures:
    """What is measured in a face. sharpness: as of `Measures`; eyes: None where they are too small or unknown."""

    face: Face
    sharpness: float
    eyes: Eyes | None


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured in a frame; only frames of one burst are comparable.

    sharpness: how many times the fine detail of the best focused parts is their coarse detail. faces: those that are
    large enough. bright, dark: parts of the picture, 0 to 1, that are white or black without detail. signature: float32
    [256], the coarse picture, of unit length.
    """

    sharpness: float
    faces: tuple[FaceMeasures, ...]
    bright: float
    dark: float
    signature: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a burst. measures: None if its preview cannot be read.

    stars: what the user said: 1 to 5, FAVOURITE, CHOSEN, -1 for rejected, 0 for nothing.
    """

    photo_id: int
    measures: Measures | None
    stars: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What is proposed for a frame, and why, in words for the user. scene: number within the burst, from 1.

    score: 0 would be a frame that is best in everything; None without measures.
    """

    photo_id: int
    choice: Choice
    reason: str
    scene: int
    score: float | None
