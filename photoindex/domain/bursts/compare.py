"""Compares the frames of one scene with each other: how far each is from the best in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.bursts.eyes import look_closed
from photoindex.domain.bursts.values import FaceMeasures, Measures

RESPECTS = ("sharpness", "face_sharpness", "eyes", "faces", "exposure")
"""The columns of `Comparison.respects`."""
_WORST_OCTAVES = 3.0
_BESIDE_FACES = 0.3
"""How much the sharpness of the rest counts where faces are known."""
_CLIPPED_WORST = 0.2
_MOST_AWAY = 1.5
"""How far a face may move between frames to be the same one, in its widths, if nobody knows who it is."""
_USUAL_SHARE = 0.5
"""A face is missing in a frame only if it is in this part of the frames."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The frames of a scene beside each other.

    respects: float64 [n, 5], 0 for the best of the scene, negative for the others; see RESPECTS. sharpness, face_sharpness:
    of each frame, as a part of the best; 1 where nothing can be measured. closed, found: faces whose eyes look closed, and
    those that are found. usual: faces that most frames have. bright, dark: parts of the picture without detail.
    """

    respects: NDArray[np.float64]
    sharpness: tuple[float, ...]
    face_sharpness: tuple[float | None, ...]
    closed: tuple[int, ...]
    found: tuple[int, ...]
    usual: int
    bright: tuple[float, ...]
    dark: tuple[float, ...]


def compare(scene: Sequence[Measures]) -> Comparison:
    """Compare the frames of a scene."""
    tracks = _tracks(scene)
    sharpness = _parts_of_best([one.sharpness for one in scene])
    face_sharpness = _face_sharpness(scene, tracks)
    closed = _closed(scene, tracks)
    usual = [track for track in tracks if len(track) >= max(2.0, _USUAL_SHARE * len(scene))]
    found = [sum(number in track for track in usual) for number in range(len(scene))]
    columns = np.zeros((len(scene), len(RESPECTS)))
    columns[:, 0] = np.log2(sharpness) * (_BESIDE_FACES if any(face_sharpness) else 1.0)
    columns[:, 1] = [0.0 if one is None else np.log2(one) for one in face_sharpness]
    columns[:, 2] = [-share / max(len(one.faces), 1) for share, one in zip(closed, scene, strict=True)]
    columns[:, 3] = [(one - len(usual)) / max(len(usual), 1) for one in found]
    clipped = np.array([one.bright + one.dark for one in scene])
    columns[:, 4] = -(clipped - clipped.min()) / _CLIPPED_WORST
    return Comparison(
        np.clip(columns, [-_WORST_OCTAVES, -_WORST_OCTAVES, -1, -1, -1], 0),
        tuple(sharpness), tuple(face_sharpness), tuple(closed), tuple(found), len(usual),
        tuple(one.bright for one in scene), tuple(one.dark for one in scene),
    )  # fmt: skip


_Track = dict[int, FaceMeasures]
"""One face: number of the frame -> its measures there."""


def _tracks(scene: Sequence[Measures]) -> list[_Track]:
    """Return the faces of a scene: the same person, or the nearest face in the frame before."""
    tracks: list[_Track] = []
    for number, measures in enumerate(scene):
        for face in measures.faces:
            free = [one for one in tracks if number not in one and _may_follow(next(reversed(one.values())), face)]
            near = min(free, key=lambda one: _away(next(reversed(one.values())), face), default=None)
            if near is None:
                tracks.append({number: face})
            else:
                near[number] = face
    return tracks


def _may_follow(before: FaceMeasures, face: FaceMeasures) -> bool:
    persons = before.face.person, face.face.person
    if None not in persons:
        return persons[0] == persons[1]
    return _away(before, face) <= _MOST_AWAY


def _away(first: FaceMeasures, second: FaceMeasures) -> float:
    """Return the distance of two faces, in widths of the first."""
    one, other = first.face, second.face
    across = one.x + one.width / 2 - other.x - other.width / 2
    down = one.y + one.height / 2 - other.y - other.height / 2
    return float(np.hypot(across / one.width, down / one.height))


def _parts_of_best(values: Sequence[float]) -> list[float]:
    best = max(values)
    return [1.0 if best <= 0 else max(one / best, 2**-_WORST_OCTAVES) for one in values]


def _face_sharpness(scene: Sequence[Measures], tracks: Sequence[_Track]) -> list[float | None]:
    """Return the sharpness of the faces of each frame as a part of the best, larger faces counting more; None without one."""
    octaves, weights = np.zeros(len(scene)), np.zeros(len(scene))
    for track in tracks:
        if len(track) < 2:
            continue
        for number, part in zip(track, _parts_of_best([one.sharpness for one in track.values()]), strict=True):
            area = track[number].face.width * track[number].face.height
            octaves[number] += area * np.log2(part)
            weights[number] += area
    return [float(2 ** (sum_ / weight)) if weight else None for sum_, weight in zip(octaves, weights, strict=True)]


def _closed(scene: Sequence[Measures], tracks: Sequence[_Track]) -> list[int]:
    """Return how many faces of each frame look as if their eyes were closed."""
    found = [0] * len(scene)
    for track in tracks:
        eyes = {number: face.eyes for number, face in track.items() if face.eyes is not None}
        for number, one in eyes.items():
            found[number] += look_closed(one, [other for place, other in eyes.items() if place != number])
    return found
