"""Runs a label model in ONNX Runtime: pictures in, classes with scores and boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.labels.description import LabelModelDescription, LabelModelFiles
from photoindex.models.network import Network

_FILL = 114
"""The grey around a letterboxed picture, as in YOLOX's training."""
_STRIDES = (8, 16, 32)
_OBJECTS_MAX = 100
"""Objects kept of one picture."""
_SUM_TOLERANCE = 0.02


class Found(NamedTuple):
    """A class that a model found. score: 0 to 1. raw: as the model gave it. box: fractions of the picture, see `Label`."""

    name: str
    score: float
    raw: float
    box: tuple[float, float, float, float] | None = None


class Input(NamedTuple):
    """A picture as the network takes it, float32; scale: its pixels per pixel of the picture; width, height: of that."""

    values: NDArray[np.float32]
    scale: float
    width: int
    height: int


class LabelModel:
    """A model that was opened.

    device, threads: as of `Network`. Raises ModelUnavailable if the network does not take what is described or gives
    another number of scores than there are names, DeviceFailed, OutOfDeviceMemory.
    """

    def __init__(self, files: LabelModelFiles, *, device: str, threads: int | None = None) -> None:
        self._files = files
        self._network = Network(files.network, device=device, threads=threads)
        self.runs_on = f"{self._network.device} (float32, ONNX Runtime)"
        self.input_px = self._side()
        self._check_outputs()

    @property
    def _described(self) -> LabelModelDescription:
        return self._files.description

    def prepare(self, picture: NDArray[np.uint8]) -> Input:
        """Return the input for a picture, uint8 RGB [height, width, 3]."""
        height, width = picture.shape[:2]
        fitted, scale = _fitted(picture, self._described, self.input_px)
        values = fitted.astype(np.float32)
        if self._described.colours == "BGR":
            values = values[..., ::-1]
        mean, deviation = (
            np.array(one, np.float32) for one in (self._described.mean, self._described.standard_deviation)
        )
        values = (values - mean) / deviation
        if self._described.channels == "first":
            values = values.transpose(2, 0, 1)
        return Input(np.ascontiguousarray(values), scale, width, height)

    def run(self, inputs: Sequence[Input], least: float) -> list[list[Found]]:
        """Return the classes of each picture with at least this score, the surest first.

        Raises OutOfDeviceMemory, DeviceLost, and ModelUnavailable if the scores are not what is described.
        """
        scores = self._network.run(np.stack([one.values for one in inputs]))[0]
        if self._described.kind == "objects":
            self._check_objects(scores)
            return [
                self._objects(rows, one, max(least, self._described.score))
                for rows, one in zip(scores, inputs, strict=True)
            ]
        return [self._labels(row, max(least, self._described.score)) for row in self._checked(scores)]

    def _side(self) -> int:
        shape = self._network.shape
        sides = shape[2:] if self._described.channels == "first" else shape[1:3]
        colours = shape[1] if self._described.channels == "first" else shape[3]
        if colours not in (3, None):
            raise ModelUnavailable(
                f"{self._files.network} takes {colours} channels where 3 are described; is it channels = "
                f'"{"last" if self._described.channels == "first" else "first"}"?'
            )
        fixed = {one for one in sides if one is not None}
        wanted = self._described.input_px
        if wanted is not None and fixed - {wanted}:
            raise ModelUnavailable(f"{self._files.network} takes pictures of {sorted(fixed)} pixels, not of {wanted}")
        found = wanted or next(iter(fixed), None)
        if found is None or len(fixed) > 1:
            raise ModelUnavailable(
                f"{self._files.path} must say input_px, the side of the square that its network takes"
            )
        return found

    def _check_outputs(self) -> None:
        """Run a grey picture, and compare the number of scores with that of names."""
        side = self.input_px
        grey = self.prepare(np.full((side, side, 3), 128, np.uint8))
        made = self._network.run(grey.values[None])[0]
        names = len(self._files.names)
        if self._described.kind == "objects":
            cells = sum((side // stride) ** 2 for stride in _STRIDES)
            if made.ndim != 3 or made.shape[1] != cells:
                raise ModelUnavailable(
                    f"{self._files.network} gives {list(made.shape)}, and YOLOX [1, {cells}, 5 + classes] at {side} pixels"
                )
            classes = made.shape[2] - 5
        else:
            made = made.reshape(len(made), -1)
            classes = made.shape[1]
        if classes != names:
            raise ModelUnavailable(
                f"{self._files.network} gives scores for {classes:,} classes, but {self._files.path} names {names:,}; "
                f"the names must be those that it was trained with, in that order"
            )
        if self._described.kind == "labels":
            self._checked(made)
        else:
            self._check_objects(made)

    def _check_objects(self, cells: NDArray[np.float32]) -> None:
        """Raise ModelUnavailable unless the scores of all cells [n, cells, 5 + classes] are probabilities."""
        if not np.isfinite(cells).all() or not _are_probabilities(cells[..., 4:]):
            raise ModelUnavailable(
                f"{self._files.network} gives scores that are no probabilities; export it with the sigmoid at its end"
            )

    def _checked(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities [n, classes]. Raises ModelUnavailable if the scores are none, though described so."""
        rows = scores.reshape(len(scores), -1)
        if not np.isfinite(rows).all():
            raise ModelUnavailable(f"{self._files.network} gives scores that are no numbers")
        if self._described.output == "logits":
            powers = np.exp(rows - rows.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
        is_whole = self._described.output == "independent" or bool(
            (np.abs(rows.sum(axis=1) - 1) < _SUM_TOLERANCE).all()
        )
        if not (_are_probabilities(rows) and is_whole):
            raise ModelUnavailable(
                f'{self._files.network} gives scores that are no probabilities; write output = "logits" in {self._files.path}'
            )
        return np.clip(rows, 0, 1)

    def _labels(self, row: NDArray[np.float32], least: float) -> list[Found]:
        order = [int(one) for one in np.argsort(-row) if row[one] >= least]
        return [
            Found(name, float(row[one]), float(row[one]))
            for one in order
            if (name := self._files.names[one]) is not None
        ]

    def _objects(self, rows: NDArray[np.float32], given: Input, least: float) -> list[Found]:
        boxes, scores, classes = _decoded(rows, self.input_px)
        likely = scores >= least
        boxes, scores, classes = boxes[likely] / given.scale, scores[likely], classes[likely]
        found: list[Found] = []
        for one in _without_repeats(boxes, scores, classes, self._described.overlap)[:_OBJECTS_MAX]:
            name = self._files.names[int(classes[one])]
            left, top = np.clip(boxes[one, :2] / (given.width, given.height), 0, 1)
            right, bottom = np.clip(boxes[one, 2:] / (given.width, given.height), 0, 1)
            if name is not None and right > left and bottom > top:
                box = (float(left), float(top), float(right - left), float(bottom - top))
                found.append(Found(name, float(scores[one]), float(scores[one]), box))
        return found


def _are_probabilities(values: NDArray[np.float32]) -> bool:
    return bool(((values >= -1e-4) & (values <= 1 + 1e-4)).all())


def _fitted(picture: NDArray[np.uint8], described: LabelModelDescription, side: int) -> tuple[NDArray[np.uint8], float]:
    """Return the picture in the square that the network takes, and by how much it was scaled."""
    from PIL import Image

    image = Image.fromarray(picture)
    width, height = image.size
    if described.fit == "letterbox":
        scale = side / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        whole = np.full((side, side, 3), _FILL, np.uint8)
        whole[: size[1], : size[0]] = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        return whole, scale
    target = max(described.resize_px or side, side)
    scale = target / min(width, height)
    is_squashed = described.fit == "squash"
    size = (target, target) if is_squashed else (max(target, round(width * scale)), max(target, round(height * scale)))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    scaled = image.resize(size, Image.Resampling.BILINEAR).crop((left, top, left + side, top + side))
    return np.asarray(scaled), scale


def _decoded(
    rows: NDArray[np.float32], side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return YOLOX's boxes (left, top, right, bottom in pixels of the input), scores and classes of all cells.

    Source: YOLOX, Megvii (Apache-2.0), `demo_postprocess`: centres are offsets in cells, sizes logarithms in strides.
    """
    cells, strides = [], []
    for stride in _STRIDES:
        count = side // stride
        y, x = np.mgrid[:count, :count]
        cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((count * count, 1), stride))
    stride_of = np.concatenate(strides)
    centres = (rows[:, :2] + np.concatenate(cells)) * stride_of
    sizes = np.exp(np.minimum(rows[:, 2:4], 10)) * stride_of
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
    classes = rows[:, 5:].argmax(axis=1)
    return boxes, rows[:, 4] * rows[np.arange(len(rows)), 5 + classes], classes


def _without_repeats(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], overlap: float
) -> list[int]:
    """Return the boxes to keep, best score first: none overlaps a better one of its class by more than `overlap`."""
    left = [int(one) for one in np.argsort(-scores)]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while left:
        best, *others = left
        kept.append(best)
        rest = np.array(others, int)
        corner = np.minimum(boxes[rest, 2:], boxes[best, 2:]) - np.maximum(boxes[rest, :2], boxes[best, :2])
        shared = np.prod(np.clip(corner, 0, None), axis=1)
        same = (shared > overlap * (areas[rest] + areas[best] - shared)) & (classes[rest] == classes[best])
        left = rest[~same].tolist()
    return kept
