"""Detecting animations, multi-page and multi-view files from their structure, without decoding them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.media.identify.tiff_walk import walk

ANIMATED: Final = "it is animated"
MULTI_PAGE: Final = "it has several pages"
MULTI_VIEW: Final = "it holds more views of the scene"
_STEPS = 100_000
"""Blocks or chunks read at most; a file that has more before its second picture counts as multi-picture."""

# TIFF 6.0: NewSubfileType (bit 0: reduced-resolution copy, bit 2: transparency mask) and ImageWidth.
_SUBFILE_TYPE, _IMAGE_WIDTH = 0x00FE, 0x0100
_NO_PAGE_BITS = 0b101
# GIF89a, sections 20 and 23.
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21
_WEBP_ANIMATION_BIT = 0x02  # RFC 9649, section 2.7: flags of the VP8X chunk
_JXL_SIZE_BITS = (9, 13, 18, 30)  # ISO/IEC 18181-1, size header


def multi_picture_reason(reader: RangedReader, format_name: str) -> str | None:
    """Return why a file counts as more than one picture (a phrase for the user), None for a single picture.

    format_name: as in `MediaType.format`. Nothing is read for formats that always hold one picture. Raises OSError.
    """
    check = _CHECKS.get(format_name)
    return None if check is None else check(reader)


def _gif(reader: RangedReader) -> str | None:
    offset = 13 + _table_bytes(reader.read(10, 1))
    images, in_blocks = 0, False
    for _ in range(_STEPS):
        first = reader.read(offset, 1)
        if not first:
            return None
        if in_blocks:
            # Data sub-blocks, each preceded by its size; a size of 0 ends them.
            in_blocks = first[0] != 0
            offset += 1 + first[0]
        elif first[0] == _GIF_EXTENSION:
            offset, in_blocks = offset + 2, True
        elif first[0] != _GIF_IMAGE:
            return None
        else:
            images += 1
            if images > 1:
                return ANIMATED
            offset, in_blocks = offset + 11 + _table_bytes(reader.read(offset + 9, 1)), True
    return ANIMATED


def _table_bytes(flags: bytes) -> int:
    """Return the size in bytes of the colour table that a screen's or image's flags declare."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _png(reader: RangedReader) -> str | None:
    """Look for an animation control chunk, which comes before the first IDAT (PNG, third edition, 11.3.6)."""
    offset = 8
    for _ in range(_STEPS):
        header = reader.read(offset, 8)
        if len(header) < 8 or header[4:] == b"IDAT":
            return None
        if header[4:] == b"acTL":
            return ANIMATED if int.from_bytes(reader.read(offset + 8, 4), "big") > 1 else None
        offset += 12 + int.from_bytes(header[:4], "big")
    return ANIMATED


def _webp(reader: RangedReader) -> str | None:
    extended = reader.read(12, 4) == b"VP8X"
    return ANIMATED if extended and reader.read(20, 1)[:1] and reader.read(20, 1)[0] & _WEBP_ANIMATION_BIT else None


def _tiff(reader: RangedReader) -> str | None:
    pages = 0
    for entries in walk(reader, frozenset({_SUBFILE_TYPE, _IMAGE_WIDTH})):
        kinds = entries[_SUBFILE_TYPE].numbers() if _SUBFILE_TYPE in entries else ()
        pages += _IMAGE_WIDTH in entries and not (kinds and kinds[0] & _NO_PAGE_BITS)
    return MULTI_PAGE if pages > 1 else None


def _heif(reader: RangedReader) -> str | None:
    """Look for a movie box, which describes an image sequence (ISO/IEC 23008-12, section 7)."""
    return ANIMATED if any(name == b"moov" for name, _, _ in top_level_boxes(reader)) else None


def _jxl(reader: RangedReader) -> str | None:
    if reader.read(0, 2) == b"\xff\x0a":
        return _jxl_codestream(reader.read(2, 64))
    for name, start, _ in top_level_boxes(reader):
        if name in (b"jxlc", b"jxlp"):
            header_bytes = 16 if reader.read(start, 4) == b"\0\0\0\1" else 8
            part_number_bytes = 4 if name == b"jxlp" else 0
            return _jxl_codestream(reader.read(start + header_bytes + part_number_bytes + 2, 64))
    return None


def _jxl_codestream(data: bytes) -> str | None:
    """Read the codestream's headers up to the animation flag (ISO/IEC 18181-1, size header and image metadata)."""
    bits = _Bits(data)
    _skip_jxl_size(bits)
    if bits.take(1) or not bits.take(1):
        return None  # all_default is set, or extra_fields is not
    bits.take(3)
    if bits.take(1):
        _skip_jxl_size(bits)
    has_preview = bits.take(1)
    # The preview header comes before the flag and is not parsed here; no known encoder writes one, so assume animated.
    return ANIMATED if has_preview or bits.take(1) else None


def _skip_jxl_size(bits: _Bits) -> None:
    in_eights = bits.take(1)
    for side in range(2):
        if side and bits.take(3):
            return  # the width is given by a fixed ratio
        bits.take(5 if in_eights else _JXL_SIZE_BITS[bits.take(2)])


class _Bits:
    """Bit reader, least significant bit first; returns zeros past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


_CHECKS: Mapping[str, Callable[[RangedReader], str | None]] = {
    "gif": _gif,
    "png": _png,
    "webp": _webp,
    "tiff": _tiff,
    "heic": _heif,
    "heif": _heif,
    "avif": _heif,
    "jxl": _jxl,
    # `kind` reports MPO only if the index lists other views; files with gain maps and previews are reported as JPEG.
    "mpo": lambda _: MULTI_VIEW,
}
