"""Where the picture is in the pixels that LibRaw gives: orientation, crop and size."""

from __future__ import annotations

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


def stored_size(sizes: ImageSizes) -> tuple[int, int]:
    """Return width and height of the cropped picture before rotation, with square pixels."""
    _, _, width, height = crop(sizes)
    # LibRaw corrects non-square pixels by stretching, never by shrinking.
    if sizes.pixel_aspect > 1:
        width = round(width * sizes.pixel_aspect)
    elif 0 < sizes.pixel_aspect < 1:
        height = round(height / sizes.pixel_aspect)
    return width, height


def upright_size(sizes: ImageSizes) -> tuple[int, int]:
    """Return width and height of the cropped picture after rotation, with square pixels."""
    width, height = stored_size(sizes)
    return (height, width) if orientation(sizes) >= _TRANSPOSED else (width, height)
