"""Reading the outputs of face detectors: candidates in pixels of the network's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from photoindex.models.faces.description import Layout

_Array = NDArray[np.float32]

_YUNET_STRIDES = (8, 16, 32)
_YUNET_PARTS = (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
_SCRFD_STRIDES: Final = {9: (8, 16, 32), 15: (8, 16, 32, 64, 128)}
"""Strides by the number of outputs: scores, boxes and landmarks of each."""
_RETINAFACE_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_RETINAFACE_VARIANCES = (0.1, 0.2)
_LARGEST_EXPONENT = 20.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places where a face may be, before overlapping ones are merged; corners: [n, 4], left, top, right, bottom."""

    corners: _Array
    scores: _Array
    landmarks: _Array

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """Return all candidates of several looks at one picture."""
        return cls(
            np.concatenate([one.corners for one in parts]),
            np.concatenate([one.scores for one in parts]),
            np.concatenate([one.landmarks for one in parts]),
        )

    def chosen(self, which: NDArray[np.generic]) -> Candidates:
        """Return some of the candidates, by index or mask."""
        return Candidates(self.corners[which], self.scores[which], self.landmarks[which])

    def moved(self, right: int, down: int) -> Candidates:
        """Return the candidates of a part of a picture in the whole."""
        by = np.array([right, down], dtype=np.float32)
        return Candidates(self.corners + np.tile(by, 2), self.scores, self.landmarks + by)

    def scaled(self, horizontally: float, vertically: float) -> Candidates:
        """Return the candidates in a picture of another size."""
        by = np.array([horizontally, vertically], dtype=np.float32)
        return Candidates(self.corners * np.tile(by, 2), self.scores, self.landmarks * by)


class Decoder(Protocol):
    """Reads one layout."""

    def problem(self, outputs: Mapping[str, Sequence[object]]) -> str | None:
        """Return why a network with these outputs (shapes by name) does not have this layout, None if it does."""
        ...

    def decode(self, outputs: Mapping[str, _Array], height: int, width: int, least_score: float) -> list[Candidates]:
        """Return the candidates of each picture. outputs: float32 [n, …] by name. height, width: of the input."""
        ...


def decoder_of(layout: Layout) -> Decoder:
    """Return the decoder of a layout."""
    decoders: dict[Layout, Decoder] = {"yunet": _YuNet(), "scrfd": _Scrfd(), "retinaface": _RetinaFace()}
    return decoders[layout]


class _YuNet:
    """YuNet, https://github.com/ShiqiYu/libfacedetection.train: one anchor a cell, the box relative to the cell."""

    def problem(self, outputs: Mapping[str, Sequence[object]]) -> str | None:
        names = [f"{part}_{stride}" for part, _ in _YUNET_PARTS for stride in _YUNET_STRIDES]
        missing = [name for name in names if name not in outputs]
        return f"it has no output {missing[0]}" if missing else None

    def decode(self, outputs: Mapping[str, _Array], height: int, width: int, least_score: float) -> list[Candidates]:
        found: list[list[Candidates]] = [[] for _ in outputs["cls_8"]]
        for stride in _YUNET_STRIDES:
            classes, objects, boxes, points = (
                outputs[f"{part}_{stride}"].reshape(len(found), -1, numbers) for part, numbers in _YUNET_PARTS
            )
            scores = np.sqrt(np.clip(classes[..., 0], 0, 1) * np.clip(objects[..., 0], 0, 1))
            cells = _cells(height, width, stride, 1)
            for picture, kept in enumerate(scores >= least_score):
                middle = (cells[kept] + boxes[picture, kept, :2]) * stride
                size = _exp(boxes[picture, kept, 2:]) * stride
                landmarks = (points[picture, kept].reshape(-1, 5, 2) + cells[kept][:, None]) * stride
                found[picture].append(_around(middle, size, scores[picture, kept], landmarks))
        return [Candidates.joined(parts) for parts in found]


class _Scrfd:
    """SCRFD, https://github.com/deepinsight/insightface/tree/master/detection/scrfd: distances from the anchor's centre."""

    def problem(self, outputs: Mapping[str, Sequence[object]]) -> str | None:
        if len(outputs) in _SCRFD_STRIDES:
            return None
        hint = "; it finds no landmarks" if len(outputs) in (6, 10) else ""
        return f"it has {len(outputs)} outputs instead of 9 or 15{hint}"

    def decode(self, outputs: Mapping[str, _Array], height: int, width: int, least_score: float) -> list[Candidates]:
        values = list(outputs.values())
        strides = _SCRFD_STRIDES[len(values)]
        found: list[list[Candidates]] = [[] for _ in values[0]]
        for level, stride in enumerate(strides):
            scores, distances, points = values[level :: len(strides)]
            scores = scores.reshape(len(found), -1)
            anchors = scores.shape[1] // (-(-height // stride) * -(-width // stride))
            centres = _cells(height, width, stride, anchors) * stride
            for picture, kept in enumerate(scores >= least_score):
                centre, distance = centres[kept], distances[picture, kept] * stride
                corners = np.concatenate([centre - distance[:, :2], centre + distance[:, 2:]], axis=1)
                landmarks = centre[:, None] + points[picture, kept].reshape(-1, 5, 2) * stride
                found[picture].append(Candidates(corners, scores[picture, kept], landmarks))
        return [Candidates.joined(parts) for parts in found]


class _RetinaFace:
    """RetinaFace, https://github.com/biubug6/Pytorch_Retinaface: outputs loc, conf and landms relative to prior boxes."""

    def problem(self, outputs: Mapping[str, Sequence[object]]) -> str | None:
        numbers = sorted(str(shape[-1]) for shape in outputs.values())
        if numbers == sorted(("4", "2", "10")):
            return None
        return f"its outputs end in {', '.join(numbers)} numbers instead of 4 (box), 2 (score) and 10 (landmarks)"

    def decode(self, outputs: Mapping[str, _Array], height: int, width: int, least_score: float) -> list[Candidates]:
        by_numbers = {one.shape[-1]: one for one in outputs.values()}
        boxes, points, scores = by_numbers[4], by_numbers[10], _second_class(by_numbers[2])
        priors = _priors(height, width)
        near, far = _RETINAFACE_VARIANCES
        found = []
        for picture, kept in enumerate(scores >= least_score):
            centre, size = priors[kept, :2], priors[kept, 2:]
            middle = centre + boxes[picture, kept, :2] * near * size
            landmarks = centre[:, None] + points[picture, kept].reshape(-1, 5, 2) * near * size[:, None]
            found.append(_around(middle, size * _exp(boxes[picture, kept, 2:] * far), scores[picture, kept], landmarks))
        return found


def _second_class(values: _Array) -> _Array:
    """Return the probability of a face, [n, priors]; some exports end before the softmax."""
    if np.allclose(values.sum(axis=-1), 1.0, atol=1e-3):
        return values[..., 1]
    result: _Array = 1.0 / (1.0 + _exp(values[..., 0] - values[..., 1]))
    return result


def _exp(values: _Array) -> _Array:
    result: _Array = np.exp(np.minimum(values, _LARGEST_EXPONENT))
    return result


def _around(middle: _Array, size: _Array, scores: _Array, landmarks: _Array) -> Candidates:
    return Candidates(np.concatenate([middle - size / 2, middle + size / 2], axis=1), scores, landmarks)


@lru_cache(maxsize=64)
def _cells(height: int, width: int, stride: int, anchors: int) -> _Array:
    """Return column and row of every anchor of a stride, float32 [n, 2], row by row."""
    rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)]
    cells = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32)
    return np.repeat(cells, anchors, axis=0)


@lru_cache(maxsize=16)
def _priors(height: int, width: int) -> _Array:
    """Return centre and size of RetinaFace's prior boxes in pixels, float32 [n, 4]."""
    parts = []
    for stride, sizes in _RETINAFACE_SIZES:
        centres = (_cells(height, width, stride, len(sizes)) + 0.5) * stride
        sides = np.tile(np.array(sizes, dtype=np.float32), len(centres) // len(sizes))
        parts.append(np.concatenate([centres, np.stack([sides, sides], axis=1)], axis=1))
    return np.concatenate(parts)
