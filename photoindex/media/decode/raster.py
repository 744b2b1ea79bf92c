"""The interface between format readers and the decoder: stored pixels with their orientation and colour space."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from photoindex.decoder_memory import worker_memory_mb
from photoindex.media.content import Content
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import OutOfMemory, TooLarge
from photoindex.types import Limits, MediaType


class Space(StrEnum):
    """Colour space of a raster; the values are Pillow's mode names."""

    GREY = "L"
    RGB = "RGB"
    CMYK = "CMYK"
    """Ink: 0 is none, 255 is full."""
    LAB = "LAB"


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels before colour conversion and rotation.

    image: uint8, [height, width] for grey, else [height, width, channels]. orientation: EXIF 1-8, still to be applied.
    icc: the embedded colour profile, None for sRGB. full_size: stored width and height of the picture if the reader has
    already scaled it down. code_points: colour primaries and transfer characteristics (ITU-T H.273) if the file has them
    instead of a profile. notes: remarks shown to the user.
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
        """Width and height of the full picture in pixels, before rotation."""
        height, width = self.image.shape[:2]
        return self.full_size or (width, height)


Reader = Callable[[Content, MediaType, int, Limits], Raster]
"""Reader of a format family: (content, media type, longest side in pixels, limits) -> a raster at least that large.

A reader raises MediaProblem for content that it knows to be bad; the decoder converts anything else that the library
raises to Undecodable.
"""


def check_size(width: int, height: int, limits: Limits, *, bytes_per_pixel: float = 0) -> None:
    """Raise TooLarge when a picture of `width` x `height` pixels is over the limit; call it before decoding.

    `bytes_per_pixel` estimates the decoder's memory. Raises OutOfMemory if it cannot be allocated: some libraries
    report a lack of memory as damage, or abort the process, and none says how much would be enough.
    """
    if width * height > limits.max_megapixels * 1e6:
        raise TooLarge.from_size(width, height, limits.max_megapixels)
    try:
        np.empty(math.ceil(width * height * bytes_per_pixel), np.uint8)
    except MemoryError as error:
        needed_mb = worker_memory_mb(width * height, bytes_per_pixel)
        raise OutOfMemory.from_size(width, height, needed_mb, limits.memory_mb) from error
