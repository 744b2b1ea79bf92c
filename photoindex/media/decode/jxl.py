"""Decoding JPEG XL codestreams and containers."""

from __future__ import annotations

from dataclasses import replace

from photoindex.decoder_memory import pixel_bytes
from photoindex.media.content import Content
from photoindex.media.decode.jpeg import jpeg_raster
from photoindex.media.decode.pillow import raster_from_pillow
from photoindex.media.decode.raster import Raster, check_size
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

_CODESTREAM = b"\xff\x0a"
_MAX_BOXES = 64
# ISO 18181-1, 4.2: width as a fraction of height for the ratios 1 to 7.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def read_jxl(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a JPEG XL; a `Reader`. Raises TooLarge, Undecodable.

    The codec applies the orientation in its own header; EXIF's is ignored, as ISO 18181 requires. A losslessly
    repacked JPEG is unpacked and keeps its EXIF orientation.
    """
    import pillow_jxl
    from PIL import Image

    with content.open() as stream:
        data = stream.read()
    check_size(*_size(data), limits, bytes_per_pixel=pixel_bytes(media.format))
    is_jpeg, info, pixels, icc, _boxes = pillow_jxl.Decoder(num_threads=0)(data)
    if is_jpeg:
        return jpeg_raster(bytes(pixels), longest_side_px, limits)
    mode = "F" if info.mode == "F;16" else info.mode
    picture = Image.frombytes(mode, (info.width, info.height), bytes(pixels))
    raster = raster_from_pillow(picture, longest_side_px)
    return replace(raster, orientation=1, icc=icc or None)


class _Bits:
    """Bit reader for a codestream, least significant bit first (ISO 18181-1, annex A)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def size(self) -> int:
        """Read one side of the picture: a U32 with the bit widths of the size header."""
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])


def _size(data: bytes) -> tuple[int, int]:
    """Return width and height from the size header (ISO 18181-1, 4.2), before orientation. Raises Undecodable."""
    start = _codestream_start(data)
    bits = _Bits(data[start + 2 : start + 18])
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.size()
    ratio = bits.take(3)
    if ratio:
        numerator, denominator = _RATIOS[ratio]
        return height * numerator // denominator, height
    return ((bits.take(5) + 1) * 8 if small else bits.size()), height


def _codestream_start(data: bytes) -> int:
    if data.startswith(_CODESTREAM):
        return 0
    offset = 0
    for _ in range(_MAX_BOXES):
        size, name = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        payload = offset + 8
        if size == 1:
            size, payload = int.from_bytes(data[offset + 8 : offset + 16], "big"), offset + 16
        if name == b"jxlp":
            payload += 4
        if name in (b"jxlc", b"jxlp") and data.startswith(_CODESTREAM, payload):
            return payload
        if size < 8:
            break
        offset += size
    raise Undecodable("the JPEG XL file contains no picture")
