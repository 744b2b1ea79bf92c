"""Decoding JPEG 2000 at a fraction of its size, which its wavelets give without the rest being decoded."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from photoindex.media.content import Content
from photoindex.media.decode.pillow import pixel_limit, raster_from_pillow
from photoindex.media.decode.raster import Raster, check_size
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

_PIXEL_BYTES = 25  # of the pixels that are decoded; see `photoindex.decoder_memory`
_HEADER_BYTES = 1 << 20
_START = b"\xff\x4f\xff\x51"  # SOC and SIZ (ISO 15444-1, annex A)
_CODING, _COMPONENT_CODING, _TILE = b"\xff\x52", b"\xff\x53", b"\xff\x90"
_WIDE_COMPONENTS = 257


def read_jpeg2000(content: Content, _media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a JPEG 2000 at 1/2, 1/4, … of its size where that is at least twice the size that is wanted; a `Reader`.

    Twice, because its own reduction is coarser than averaging pixels (PSNR to a windowed sinc 39.4 dB,
    averaged from the whole picture 41.4 dB; a 24-megapixel photo at 1024 px). Raises TooLarge, OutOfMemory, Undecodable.
    """
    from PIL import Jpeg2KImagePlugin

    with content.open() as stream, pixel_limit(limits):
        levels = _levels(stream)
        stream.seek(0)
        try:
            picture = Jpeg2KImagePlugin.Jpeg2KImageFile(stream)
        except SyntaxError as error:
            raise Undecodable(f"not a readable JPEG 2000 picture: {error}") from error
        with picture:
            full_size = picture.size
            halvings = min(levels, max(1, max(full_size) // (2 * longest_side_px)).bit_length() - 1)
            check_size(*full_size, limits, bytes_per_pixel=_PIXEL_BYTES / 4**halvings)
            picture.reduce = halvings
            picture.load()
            picture.reduce = 0  # it hides the method of this name
            raster = raster_from_pillow(picture, longest_side_px)
    return replace(raster, full_size=full_size)


def _levels(stream: BinaryIO) -> int:
    """Return how often every component can be halved (A.6.1 and A.6.2), 0 if that is not in the first MiB."""
    head = stream.read(_HEADER_BYTES)
    offset = head.find(_START)
    if offset < 0:
        return 0
    wide = int.from_bytes(head[offset + 40 : offset + 42], "big") >= _WIDE_COMPONENTS
    offset += 2
    levels: list[int] = []
    while offset + 12 < len(head) and head[offset : offset + 2] != _TILE:
        marker = head[offset : offset + 2]
        if marker == _CODING:
            levels.append(head[offset + 9])
        elif marker == _COMPONENT_CODING:
            levels.append(head[offset + 7 if wide else offset + 6])
        offset += 2 + int.from_bytes(head[offset + 2 : offset + 4], "big")
    return min(levels, default=0)
