"""Metadata and size of JPEG XL (ISO 18181-1 and -2), parsed here because our decoder has no header-only mode."""

from __future__ import annotations

import io
from typing import BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.containers.boxes import box_content, boxes, stream_size

_CODESTREAM = b"\xff\x0a"
_HEADER_BYTES = 64
# Width as a fraction of the height, by the 3-bit ratio code.
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)


class _Bits:
    """Bit reader, least significant bit first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is truncated")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value


def read_jxl(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a JPEG XL codestream or container."""
    with content.open() as stream:
        if stream.read(2) == _CODESTREAM:
            _read_header(stream.read(_HEADER_BYTES), blocks)
            return
        for box in boxes(stream, 0, stream_size(stream)):
            if box.name == b"jxlc":
                _read_codestream(stream, box.start, blocks)
            elif box.name == b"jxlp":
                _read_codestream(stream, box.start + 4, blocks)
            elif box.name == b"Exif":
                data = box_content(stream, box)
                offset = int.from_bytes(data[:4], "big")
                blocks.exif.append(ExifBlock(io.BytesIO(data[4 + offset :].removeprefix(b"Exif\0\0"))))
            elif box.name == b"xml ":
                blocks.xmp.append(box_content(stream, box))
            elif box.name == b"brob":
                blocks.notes.append("container: metadata compressed with Brotli is not read")


def _read_codestream(stream: BinaryIO, start: int, blocks: Blocks) -> None:
    stream.seek(start)
    if blocks.width is None and stream.read(2) == _CODESTREAM:
        _read_header(stream.read(_HEADER_BYTES), blocks)


def _read_header(data: bytes, blocks: Blocks) -> None:
    bits = _Bits(data)
    small = bits.take(1)

    def side() -> int:
        return (bits.take(5) + 1) * 8 if small else bits.take(_SIZE_BITS[bits.take(2)]) + 1

    height = side()
    ratio = bits.take(3)
    width = side() if ratio == 0 else height * _RATIOS[ratio][0] // _RATIOS[ratio][1]
    all_default = bits.take(1)
    if not all_default and bits.take(1):
        blocks.orientation = bits.take(3) + 1
    # The decoder applies the orientation of the codestream header; EXIF only repeats it.
    blocks.upright = True
    if (blocks.orientation or 1) >= 5:
        width, height = height, width
    blocks.set_size(width, height)
