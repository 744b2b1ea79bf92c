"""Finding faces with a network: scaling pictures to its input, decoding its outputs, merging overlapping boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import FacesInPicture
from photoindex.models.faces.decoders import Candidates, decoder_of
from photoindex.models.faces.description import DetectorDescription
from photoindex.models.network import Network

FACES_MAX = 2000
"""Faces of one picture; a preview has no room for more that could be told apart."""
_CANDIDATES_MAX = 20_000
_BLOCK = 512
_STRIDE = 32
_ENLARGED_MAX = 2.0
"""Small pictures are enlarged this much at most."""

_VIEWS_MAX = 16
"""Views prepared at once: each takes some megabytes."""
_TILES_OVERLAP = 0.25
"""Neighbouring parts of a picture share this fraction of their side, so that few faces are cut in all of them."""

_Look = tuple[int, int, float]
"""Height and width of the network's input, and the fraction of them that the picture may use."""
_Window = tuple[int, int, int, int]
"""A part of a picture: left, top, right and bottom."""


class OnnxFaceDetector:
    """A detector of a face pack; see `models.base.FaceDetector`. Raises ModelUnavailable if the layout does not fit."""

    def __init__(self, network: Network, description: DetectorDescription) -> None:
        self._network = network
        self._described = description
        self._decoder = decoder_of(description.layout)
        problem = self._decoder.problem(network.outputs)
        if problem is not None:
            raise ModelUnavailable(f"{network.path} is not a detector of the layout {description.layout}: {problem}")

    def detect(self, pictures: Sequence[NDArray[np.uint8]]) -> list[FacesInPicture]:
        """Return the faces of each picture; see `models.base.FaceDetector`."""
        by_look: dict[_Look, list[tuple[int, _Window]]] = {}
        for number, picture in enumerate(pictures):
            for look, window in self._views(picture):
                by_look.setdefault(look, []).append((number, window))
        found: list[list[Candidates]] = [[] for _ in pictures]
        for look, views in by_look.items():
            for first in range(0, len(views), _VIEWS_MAX):
                some = views[first : first + _VIEWS_MAX]
                parts = [pictures[number][top:bottom, left:right] for number, (left, top, right, bottom) in some]
                for (number, window), candidates in zip(some, self._seen(parts, look), strict=True):
                    found[number].append(candidates.moved(window[0], window[1]))
        return [merged(Candidates.joined(parts), self._described.overlap) for parts in found]

    def _views(self, picture: NDArray[np.uint8]) -> list[tuple[_Look, _Window]]:
        """Return how the network sees a picture: at few different sizes, because a device prepares for each size."""
        described = self._described
        fractions = [1.0] if described.closer is None else [1.0, described.closer]
        fixed_height, fixed_width = self._network.shape[2:]
        height, width = picture.shape[:2]
        whole = (0, 0, width, height)
        if fixed_height is None or fixed_width is None:
            return [(self._free_look(picture, fraction), whole) for fraction in fractions]
        # A network of fixed size sees more detail only in parts of the picture; the whole is the closer look then.
        reach = min(described.longest_px, max(height, width) * _ENLARGED_MAX)
        if reach <= max(fixed_height, fixed_width):
            return [((fixed_height, fixed_width, fraction), whole) for fraction in fractions]
        scale = reach / max(height, width)
        windows = [
            (left, top, left + across, top + down)
            for top, down in _spread(height, fixed_height / scale)
            for left, across in _spread(width, fixed_width / scale)
        ]
        return [((fixed_height, fixed_width, 1.0), window) for window in [whole, *windows]]

    def _free_look(self, picture: NDArray[np.uint8], fraction: float) -> _Look:
        height, width = picture.shape[:2]
        long = _multiple(self._described.longest_px * fraction)
        short = long if self._described.square else _multiple(long * 3 / 4)
        if height * long <= width * short:
            return short, long, 1.0
        return (long, short, 1.0) if width * long <= height * short else (long, long, 1.0)

    def _seen(self, pictures: Sequence[NDArray[np.uint8]], look: _Look) -> list[Candidates]:
        height, width, fraction = look
        described = self._described
        empty = -np.array(described.mean, dtype=np.float32) / np.array(described.standard_deviation, dtype=np.float32)
        values = np.empty((len(pictures), 3, height, width), dtype=np.float32)
        values[:] = empty[:, None, None]
        scales = []
        for number, picture in enumerate(pictures):
            scaled = _scaled(picture, height * fraction, width * fraction, plain=described.square)
            values[number, :, : scaled.shape[0], : scaled.shape[1]] = normalised(
                scaled[None], described.colours, described.mean, described.standard_deviation
            )[0]
            scales.append((picture.shape[1] / scaled.shape[1], picture.shape[0] / scaled.shape[0]))
        # Some exports drop the axis of the batch.
        one_by_one = len(next(iter(self._network.outputs.values()))) == 2
        outputs = dict(zip(self._network.outputs, self._network.run(values, one_by_one=one_by_one), strict=True))
        decoded = self._decoder.decode(outputs, height, width, described.score)
        return [one.scaled(*scale) for one, scale in zip(decoded, scales, strict=True)]


def merged(candidates: Candidates, overlap: float) -> FacesInPicture:
    """Return the best candidate of each face: of two that overlap more (intersection over union), the better score."""
    corners, points = candidates.corners, candidates.landmarks
    usable = np.isfinite(corners).all(axis=1) & np.isfinite(points).all(axis=(1, 2))
    usable &= np.isfinite(candidates.scores) & (corners[:, 2:] > corners[:, :2]).all(axis=1)
    order = np.flatnonzero(usable)
    order = order[np.argsort(-candidates.scores[order], kind="stable")]
    best_ones = candidates.chosen(order[:_CANDIDATES_MAX])
    kept = _best(best_ones.corners, overlap)
    limited = len(kept) > FACES_MAX or len(order) > _CANDIDATES_MAX
    best_ones = best_ones.chosen(np.array(kept[:FACES_MAX], dtype=np.int64))
    boxes = np.concatenate([best_ones.corners[:, :2], best_ones.corners[:, 2:] - best_ones.corners[:, :2]], axis=1)
    scores = np.clip(best_ones.scores, 0, 1).astype(np.float32)
    return FacesInPicture(boxes, scores, best_ones.landmarks.astype(np.float32), limited)


def normalised(
    pictures: NDArray[np.uint8], colours: str, mean: Sequence[float], deviation: Sequence[float]
) -> NDArray[np.float32]:
    """Return a network's input, float32 [n, 3, height, width], for uint8 RGB [n, height, width, 3]."""
    ordered = pictures if colours == "RGB" else pictures[..., ::-1]
    values = ordered.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    if any(mean):
        values -= np.array(mean, dtype=np.float32)[:, None, None]
    if any(one != 1 for one in deviation):
        values /= np.array(deviation, dtype=np.float32)[:, None, None]
    return values


def _scaled(picture: NDArray[np.uint8], height: float, width: float, *, plain: bool) -> NDArray[np.uint8]:
    """Scale a picture to fit; a side is one pixel at least. plain: as the insightface package does it."""
    import cv2

    scale = min(height / picture.shape[0], width / picture.shape[1])
    if not plain:
        scale = min(scale, _ENLARGED_MAX)
    size = max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale))
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    # Linear interpolation leaves out pixels below half the size.
    how = cv2.INTER_AREA if scale < 0.5 and not plain else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)


def _best(corners: NDArray[np.float32], overlap: float) -> list[int]:
    """Return the boxes, in the order given, that overlap no better one too much; a few more than FACES_MAX at most.

    Boxes are compared block by block: with all that were kept before, then among each other.
    """
    kept: list[int] = []
    for first in range(0, len(corners), _BLOCK):
        block = np.arange(first, min(first + _BLOCK, len(corners)))
        if kept:
            block = block[(_overlaps(corners[block], corners[kept]) <= overlap).all(axis=1)]
        apart = _overlaps(corners[block], corners[block]) <= overlap
        free = np.ones(len(block), dtype=bool)
        for number in range(len(block)):
            if free[number]:
                kept.append(int(block[number]))
                free &= apart[number]
        if len(kept) > FACES_MAX:
            break
    return kept


def _overlaps(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of each box with each other box, [n, m]."""
    last = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(last - np.maximum(ones[:, None, :2], others[None, :, :2]), 0).prod(axis=2)
    result: NDArray[np.float32] = shared / (_areas(ones)[:, None] + _areas(others) - shared)
    return result


def _areas(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    return result


def _spread(length: int, part: float) -> list[tuple[int, int]]:
    """Return start and length of the overlapping parts of at most `part` that cover a side."""
    size = min(length, max(1, int(part)))
    count = 1 if size == length else 1 + -(-(length - size) // max(1, int(size * (1 - _TILES_OVERLAP))))
    return [(round(number * (length - size) / max(1, count - 1)), size) for number in range(count)]


def _multiple(length: float) -> int:
    return max(_STRIDE, -(-int(length) // _STRIDE) * _STRIDE)
