"""Making the preview, thumbnail and perceptual hash of a decoded picture."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.media.decode.scale import Pixel8, fitted, shrink
from photoindex.types import Derived, DerivedParams

if TYPE_CHECKING:
    from photoindex.media.decode.decode import Pixels

_HASH_SIDE = 8
_PLANE_PX = 32
"""Side of the square of grey levels whose lowest 8 x 8 frequencies are the hash."""


def derive(pixels: Pixels, params: DerivedParams) -> Derived:
    """Make both JPEGs (baseline, 4:2:0, no metadata; sRGB is implied) and the hash of the thumbnail.

    Sizes are the longest side; nothing is enlarged. The thumbnail is made from the preview. The hash is computed from the
    decoded thumbnail JPEG, so that it can be verified against the file.
    """
    import simplejpeg

    height, width = pixels.array.shape[:2]
    preview = shrink(pixels.array, fitted(width, height, params.preview_px))
    thumbnail = shrink(preview, fitted(width, height, min(params.thumbnail_px, max(preview.shape))))
    preview_jpeg = simplejpeg.encode_jpeg(preview, params.preview_quality, "RGB", "420")
    thumbnail_jpeg = simplejpeg.encode_jpeg(thumbnail, params.thumbnail_quality, "RGB", "420")
    perceptual_hash = phash(simplejpeg.decode_jpeg(thumbnail_jpeg, "RGB"))
    return Derived(preview_jpeg, thumbnail_jpeg, perceptual_hash, pixels.notes)


def phash(array: Pixel8) -> int:
    """Return the 64-bit perceptual hash (DCT) of an RGB picture, uint8 [height, width, 3].

    Equals `int(str(imagehash.phash(image)), 16)` of the package ImageHash with a hash size of 8: bits row by row, most
    significant first. Similar pictures differ in few bits. A bit may differ from that package's only where rounding
    decides it, in drawn pictures: tiles that repeat, two pixels side by side, mirror images about a diagonal.
    """
    from PIL import Image

    grey = Image.fromarray(array).convert("L").resize((_PLANE_PX, _PLANE_PX), Image.Resampling.LANCZOS)
    folds, waves = _transforms()
    folded = folds @ np.asarray(grey, np.float64) @ folds.T
    coefficients = (waves @ folded @ waves.T).ravel()
    half = coefficients.size // 2
    middle = np.partition(coefficients, (half - 1, half))[half - 1 : half + 1]
    bits = coefficients > middle.sum() / 2  # their median, without loading numpy.ma
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@lru_cache(maxsize=1)
def _transforms() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two matrices, [32, 32] and [8, 32], whose product gives the 8 lowest frequencies of a DCT-II of 32 samples.

    The first has only -1, 0 and 1, so sums and differences of mirrored samples are exact. Without it, rounding would decide
    the bits of plain and mirrored pictures: most of their coefficients are 0, and so is the median.
    """
    halves = np.eye(_PLANE_PX)
    folds: list[NDArray[np.float64]] = []
    waves = np.zeros((_HASH_SIDE, _PLANE_PX))
    step, column = 1, 0
    while step < _HASH_SIDE:  # the odd multiples of `step` are the frequencies that need differences alone
        size = len(halves) // 2
        first, mirrored = halves[:size], halves[: -size - 1 : -1]
        folds.append(first - mirrored)
        frequencies = np.arange(step, _HASH_SIDE, 2 * step)[:, None]
        angles = frequencies * (2 * np.arange(size) + 1) * (np.pi / (2 * _PLANE_PX))
        waves[step :: 2 * step, column : column + size] = np.cos(angles)
        halves, column, step = first + mirrored, column + size, 2 * step
    waves[0, column:] = 1
    return np.vstack([*folds, halves]), waves
