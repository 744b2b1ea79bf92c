"""Perceptual hashes of a picture and of windows of it, by which copies of it are found even where they were cropped or framed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.same_picture.trimming import Rectangle, content_rectangle

VERSION = 1
"""Raise it when the same pixels get other hashes; hashes are compared with those of their own version only."""
SIDE_PX = 256
"""Longest side of the pictures that are hashed."""
WINDOWS = 40
_FREQUENCIES = 8
_PLANE_PX = 160
"""Side of the square that a content is scaled to: windows are fractions of its sides, so its proportions do not matter."""
_FLAT = 1.0
"""A coefficient (of an orthonormal DCT of 32 x 32 grey levels) must exceed the median by this for its bit to be set.

A cosine with an amplitude of a sixteenth of a grey level has this coefficient. Weaker ones are rounding errors, which made the
bits of plain pictures random.
"""

Spans = tuple[tuple[float, float], ...]
"""Parts of a side: start and end of each, as fractions of it."""
_SPANS: Spans = (
    (0.0, 1.0),
    (0.0, 0.9), (0.05, 0.95), (0.1, 1.0),
    (0.0, 0.8), (0.05, 0.85), (0.1, 0.9), (0.15, 0.95), (0.2, 1.0),
    (0.15, 1.0), (0.0, 0.85),
)  # fmt: skip
_FIXED_WINDOWS = (
    (0, 0), *product((1, 2, 3), repeat=2), *product((4, 5, 6, 7, 8), repeat=2), (9, 0), (10, 0),
)  # fmt: skip
"""Indices of spans (down, across): the whole, 9 windows of 90 % of each side, 25 of 80 %, the picture without its upper or lower
15 %, where banners with words are put. Three squares follow: at the start, in the middle and at the end of the longer side."""


@dataclass(frozen=True, slots=True)
class PictureHashes:
    """The hashes of one picture.

    full: of the whole picture. windows: uint64 [WINDOWS], of the windows of the content, the whole content first. content:
    the picture without a plain border or bars around it. Bits are row by row, most significant first: 8 x 8 coefficients
    of a DCT, rows vertical, columns horizontal frequency.
    """

    full: int
    windows: NDArray[np.uint64]
    content: Rectangle


def hashes_of(grey: NDArray[np.uint8]) -> PictureHashes:
    """Return the hashes of a grey picture, uint8 [h, w], upright."""
    small = _resized(grey)
    content = content_rectangle(small)
    height, width = small.shape
    left, top, right, bottom = content.pixels(width, height)
    inside = _coefficients(small[top:bottom, left:right])
    full = _bits(inside[:1]) if content.is_whole else _bits(_coefficients(small)[:1])
    return PictureHashes(int(full[0]), _bits(inside), content)


def _resized(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    height, width = grey.shape
    share = SIDE_PX / max(height, width)
    if share >= 1:
        return grey
    size = max(1, round(width * share)), max(1, round(height * share))
    return cast("NDArray[np.uint8]", cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def window_rectangles(width: int, height: int) -> tuple[Rectangle, ...]:
    """Return the windows of a content of this size, as fractions of it, in the order of their hashes."""
    squares, pairs = _windows(width, height)
    spans = _SPANS + squares
    return tuple(Rectangle(spans[x][0], spans[y][0], spans[x][1], spans[y][1]) for y, x in pairs.tolist())


@lru_cache(maxsize=1)
def _fixed_spans() -> NDArray[np.float32]:
    return _cosines(_SPANS)


def _square_spans(share: float) -> Spans:
    """Return the squares of a content whose shorter side is this share of its longer one: at its start, middle and end."""
    return tuple((start, start + share) for start in (0.0, (1 - share) / 2, 1 - share))


def _windows(width: int, height: int) -> tuple[Spans, NDArray[np.intp]]:
    """Return the squares as spans of the longer side, and all windows as pairs of indices of spans (down, across).

    The squares follow after _SPANS on their side.
    """
    squares = _square_spans(min(width, height) / max(width, height))
    chosen = range(len(_SPANS), len(_SPANS) + len(squares))
    cut = [(0, number) if width >= height else (number, 0) for number in chosen]
    return squares, np.array([*_FIXED_WINDOWS, *cut], np.intp)


def _cosines(spans: Spans) -> NDArray[np.float32]:
    """Return the cosines of the first frequencies over parts of a side, float32 [_PLANE_PX, spans * 8], zero outside each.

    A pixel at the edge of a part counts with the fraction of it that is inside.
    """
    begins = np.array([start for start, _ in spans])[:, None] * _PLANE_PX
    lengths = np.array([end - start for start, end in spans])[:, None] * _PLANE_PX
    inside = np.clip(np.arange(_PLANE_PX + 1)[None], begins, begins + lengths)
    weights, middles = np.diff(inside), (inside[:, 1:] + inside[:, :-1]) / 2
    angles = (middles - begins) / lengths * np.pi
    # As a DCT of 32 samples of each part.
    scales = np.sqrt(np.where(np.arange(_FREQUENCIES) == 0, 1, 2) / 32) * 32
    waves = np.cos(angles[:, None] * np.arange(_FREQUENCIES)[None, :, None]) * scales[None, :, None]
    waves *= (weights / lengths)[:, None]
    return np.ascontiguousarray(waves.reshape(-1, _PLANE_PX).T, np.float32)


def _coefficients(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the lowest DCT coefficients of all windows of a grey picture, float32 [WINDOWS, 64]."""
    import cv2

    height, width = plane.shape
    squares, pairs = _windows(width, height)
    fixed = _fixed_spans()
    longer = np.hstack([fixed, _cosines(squares)])
    across, down = (longer, fixed) if width >= height else (fixed, longer)
    square = cv2.resize(plane, (_PLANE_PX, _PLANE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    # numpy's matrix product starts a thread per core, which takes longer than such a small product.
    lines = cv2.gemm(square, across, 1, None, 0)  # type: ignore[call-overload]
    found = cv2.gemm(down, lines, 1, None, 0, flags=cv2.GEMM_1_T)  # type: ignore[call-overload]
    blocks = found.reshape(-1, _FREQUENCIES, across.shape[1] // _FREQUENCIES, _FREQUENCIES).transpose(0, 2, 1, 3)
    return cast("NDArray[np.float32]", blocks[pairs[:, 0], pairs[:, 1]].reshape(len(pairs), -1))


def _bits(coefficients: NDArray[np.float32]) -> NDArray[np.uint64]:
    others = coefficients[:, 1:]
    half = others.shape[1] // 2
    middle = np.partition(others, half, axis=1)[:, half : half + 1]  # their median, without loading numpy.ma
    bits = coefficients > middle + _FLAT
    bits[:, 0] = False
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()
