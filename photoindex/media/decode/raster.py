"""What a reader hands to the decoder: pixels as stored, and what is still to be done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import OutOfMemory, TooLarge
from photoindex.types import Limits, MediaType


class Space(StrEnum):
    """What the channels of a raster mean; the values are Pillow's names of modes."""

    GREY = "L"
    RGB = "RGB"
    CMYK = "CMYK"
    """Ink: 0 is none, 255 full."""
    LAB = "LAB"


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels before colour management and turning.

    image: uint8, [height, width] for grey, else [height, width, channels]. orientation: EXIF 1-8 that is still to be
    applied. icc: the embedded profile that the values belong to, None for sRGB. full_size: width and height of the whole
    picture, as stored, where the reader has made it smaller already. code_points: colour primaries and transfer characteristics
    (ITU-T H.273) where the file names them instead of a profile. notes: remarks for a person.
    """

    image: Pixel8
    space: Space = Space.RGB
    orientation: int = 1
    icc: bytes | None = None
    full_size: tuple[int, int] | None = None
    code_points: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture in pixels, before turning."""
        height, width = self.image.shape[:2]
        return self.full_size or (width, height)


Reader = Callable[[Content, MediaType, int, Limits], Raster]
"""One format family: content, its type, the longest side wanted in pixels, the limits -> a raster at least that large.

A reader raises MediaProblem for content that it knows to be bad; whatever else its library raises, the decoder turns
into Undecodable.
"""


def check_size(width: int, height: int, limits: Limits, *, bytes_per_pixel: int = 0) -> None:
    """Raise TooLarge when a picture of `width` x `height` pixels is over the limit; call it before decoding.

    `bytes_per_pixel` is about what the decoder will need. Raises OutOfMemory when that cannot be had: some libraries
    report a want of memory as damage, or abort the process.
    """
    if width * height > limits.max_megapixels * 1e6:
        raise TooLarge.from_size(width, height, limits.max_megapixels)
    try:
        np.empty(width * height * bytes_per_pixel, np.uint8)
    except MemoryError as error:
        raise OutOfMemory from error
