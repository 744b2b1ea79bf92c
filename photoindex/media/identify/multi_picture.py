"""Whether a file holds more than the one picture that its thumbnail shows, told by its structure without decoding it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.ranged_reader import Reach
from photoindex.media.identify.tiff_walk import walk

MOVES: Final = "it moves"
PAGES: Final = "it has several pages"
VIEWS: Final = "it holds further views of the scene"
_STEPS = 100_000
"""Blocks or chunks that are looked at; a file with more before its second picture is not believed to hold one alone."""

# TIFF 6.0: NewSubfileType (bit 0: a smaller copy, bit 2: a mask) and ImageWidth.
_SUBFILE_TYPE, _IMAGE_WIDTH = 0x00FE, 0x0100
_NO_PAGE_BITS = 0b101
# GIF89a, sections 20 and 23.
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21
_WEBP_ANIMATION_BIT = 0x02  # RFC 9649, section 2.7: the flags of the chunk VP8X
_JXL_SIZE_BITS = (9, 13, 18, 30)  # ISO/IEC 18181-1, size header


def further_pictures(reach: Reach, format_name: str) -> str | None:
    """Return in words what a picture file shows besides its first picture, None where it shows that alone.

    reach: its bytes. format_name: as `MediaType.format`. Formats that hold one picture are not read. Raises OSError.
    """
    look = _LOOKS.get(format_name)
    return None if look is None else look(reach)


def _gif(reach: Reach) -> str | None:
    offset = 13 + _table_bytes(reach.read(10, 1))
    images, in_blocks = 0, False
    for _ in range(_STEPS):
        first = reach.read(offset, 1)
        if not first:
            return None
        if in_blocks:
            # A row of blocks, each after its size; one of size 0 ends it.
            in_blocks = first[0] != 0
            offset += 1 + first[0]
        elif first[0] == _GIF_EXTENSION:
            offset, in_blocks = offset + 2, True
        elif first[0] != _GIF_IMAGE:
            return None
        else:
            images += 1
            if images > 1:
                return MOVES
            offset, in_blocks = offset + 11 + _table_bytes(reach.read(offset + 9, 1)), True
    return MOVES


def _table_bytes(flags: bytes) -> int:
    """Return the size of the colour table that the flags of a screen or picture announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _png(reach: Reach) -> str | None:
    """An animation control chunk stands before the first IDAT (PNG, third edition, 11.3.6)."""
    offset = 8
    for _ in range(_STEPS):
        header = reach.read(offset, 8)
        if len(header) < 8 or header[4:] == b"IDAT":
            return None
        if header[4:] == b"acTL":
            return MOVES if int.from_bytes(reach.read(offset + 8, 4), "big") > 1 else None
        offset += 12 + int.from_bytes(header[:4], "big")
    return MOVES


def _webp(reach: Reach) -> str | None:
    extended = reach.read(12, 4) == b"VP8X"
    return MOVES if extended and reach.read(20, 1)[:1] and reach.read(20, 1)[0] & _WEBP_ANIMATION_BIT else None


def _tiff(reach: Reach) -> str | None:
    pages = 0
    for entries in walk(reach, frozenset({_SUBFILE_TYPE, _IMAGE_WIDTH})):
        kinds = entries[_SUBFILE_TYPE].numbers() if _SUBFILE_TYPE in entries else ()
        pages += _IMAGE_WIDTH in entries and not (kinds and kinds[0] & _NO_PAGE_BITS)
    return PAGES if pages > 1 else None


def _heif(reach: Reach) -> str | None:
    """A sequence of pictures is described by a movie box, as in a film (ISO/IEC 23008-12, section 7)."""
    return MOVES if any(name == b"moov" for name, _, _ in top_level_boxes(reach)) else None


def _jxl(reach: Reach) -> str | None:
    if reach.read(0, 2) == b"\xff\x0a":
        return _jxl_codestream(reach.read(2, 64))
    for name, start, _ in top_level_boxes(reach):
        if name in (b"jxlc", b"jxlp"):
            header_bytes = 16 if reach.read(start, 4) == b"\0\0\0\1" else 8
            part_number_bytes = 4 if name == b"jxlp" else 0
            return _jxl_codestream(reach.read(start + header_bytes + part_number_bytes + 2, 64))
    return None


def _jxl_codestream(data: bytes) -> str | None:
    """Read the codestream's headers up to the flag of an animation (ISO/IEC 18181-1, size header and image metadata)."""
    bits = _Bits(data)
    _skip_jxl_size(bits)
    if bits.take(1) or not bits.take(1):
        return None  # all as by default, or nothing beyond the form of the samples
    bits.take(3)
    if bits.take(1):
        _skip_jxl_size(bits)
    has_preview = bits.take(1)
    # A preview's header would have to be read before the flag; pictures with one are not made, and not believed.
    return MOVES if has_preview or bits.take(1) else None


def _skip_jxl_size(bits: _Bits) -> None:
    in_eights = bits.take(1)
    for side in range(2):
        if side and bits.take(3):
            return  # the width follows from a fixed ratio
        bits.take(5 if in_eights else _JXL_SIZE_BITS[bits.take(2)])


class _Bits:
    """Bits from the lowest of the first byte on, zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


_LOOKS: Mapping[str, Callable[[Reach], str | None]] = {
    "gif": _gif,
    "png": _png,
    "webp": _webp,
    "tiff": _tiff,
    "heic": _heif,
    "heif": _heif,
    "avif": _heif,
    "jxl": _jxl,
    # `kind` gives the name to files whose index names views; gain maps and previews are plain JPEGs.
    "mpo": lambda _: VIEWS,
}
