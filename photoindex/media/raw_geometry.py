"""Where the picture is in the pixels that LibRaw gives: orientation, crop and size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rawpy import ImageSizes

# EXIF orientation for LibRaw's flip, whose bits are: 1 mirror, 2 turn upside down, 4 transpose.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)
_TRANSPOSED = 5
_SMALLEST_SHARE = 0.55
"""A crop that leaves less than this of a side is a wrong tag; LibRaw's own limit (`adjust_to_raw_inset_crop`)."""


class Crop(NamedTuple):
    """A rectangle in the pixels of the visible sensor area, unrotated."""

    left: int
    top: int
    width: int
    height: int


def orientation(sizes: ImageSizes) -> int:
    """Return the EXIF orientation (1 to 8) of the sensor data."""
    return _ORIENTATIONS[sizes.flip] if 0 <= sizes.flip < len(_ORIENTATIONS) else 1


def crop(sizes: ImageSizes) -> Crop:
    """Return the part of the visible area that the camera means to be the picture.

    It is what DNG calls the default crop (DNG 1.7, DefaultCropOrigin and DefaultCropSize) and makers have in tags of their
    own. The pixels around it are for interpolation at the border: developed, they are often dark or coloured.
    """
    left, top = sizes.crop_left_margin - sizes.left_margin, sizes.crop_top_margin - sizes.top_margin
    width, height = sizes.crop_width, sizes.crop_height
    inside = left >= 0 and top >= 0 and left + width <= sizes.width and top + height <= sizes.height
    if inside and width >= sizes.width * _SMALLEST_SHARE and height >= sizes.height * _SMALLEST_SHARE:
        return Crop(left, top, width, height)
    return Crop(0, 0, sizes.width, sizes.height)


def is_turned(sizes: ImageSizes) -> bool:
    """Return whether the rows of the sensor run at 45 degrees (Fujifilm's SuperCCD).

    Its visible area is a tilted rectangle in a square that is larger than the sensor data; LibRaw turns and crops it.
    """
    return sizes.width > sizes.raw_width or sizes.height > sizes.raw_height


def stored_size(sizes: ImageSizes) -> tuple[int, int]:
    """Return width and height of the cropped picture before rotation, with square pixels."""
    if is_turned(sizes):
        return _turned_size(sizes)
    _, _, width, height = crop(sizes)
    # LibRaw corrects non-square pixels by stretching, never by shrinking.
    if sizes.pixel_aspect > 1:
        width = round(width * sizes.pixel_aspect)
    elif 0 < sizes.pixel_aspect < 1:
        height = round(height / sizes.pixel_aspect)
    return width, height


def _turned_size(sizes: ImageSizes) -> tuple[int, int]:
    """Return the size to which LibRaw turns a tilted rectangle (`fuji_rotate`), the square's if the sides are unknown.

    The square's side is the sum of the rectangle's sides, counted in diagonal steps. There are two layouts of the data:
    with half of the first side in a row, or with half of the second in a column.
    """
    columns, rows = sizes.raw_width - 2 * sizes.left_margin, sizes.raw_height - 2 * sizes.top_margin
    for first, second in ((columns // 2, rows), (columns, rows // 2)):
        if first + second == sizes.width:
            return int(first * math.sqrt(2)), int((sizes.height - first) * math.sqrt(2))
    return sizes.width, sizes.height


def upright_size(sizes: ImageSizes) -> tuple[int, int]:
    """Return width and height of the cropped picture after rotation, with square pixels."""
    width, height = stored_size(sizes)
    return (height, width) if orientation(sizes) >= _TRANSPOSED else (width, height)
