"""Decoding BMP, also with bit fields of any layout, of which Pillow reads only the usual ones."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from photoindex.decoder_memory import pixel_bytes
from photoindex.media.content import Content
from photoindex.media.decode.pillow import read_still
from photoindex.media.decode.raster import Raster, check_size
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

_HEADER = struct.Struct("<IiiHHI")  # BITMAPINFOHEADER: size, width, height, planes, bits, compression
_FILE_HEADER_BYTES = 14
_MASKS_OFFSET = _FILE_HEADER_BYTES + 40
_BIT_FIELDS, _ALPHA_BIT_FIELDS = 3, 6
_STRIP_PIXELS = 1 << 18
_MOST_BITS = 16


def read_bmp(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a BMP; a `Reader`. Raises TooLarge, OutOfMemory, Undecodable.

    Bit fields are read here (Windows GDI, BITMAPINFOHEADER to BITMAPV5HEADER), everything else by Pillow.
    """
    head = content.head
    if len(head) < _MASKS_OFFSET + 16:
        return read_still(content, media, longest_side_px, limits)
    size, width, height, _planes, bits, compression = _HEADER.unpack_from(head, _FILE_HEADER_BYTES)
    if compression not in (_BIT_FIELDS, _ALPHA_BIT_FIELDS) or bits not in (16, 32):
        return read_still(content, media, longest_side_px, limits)
    if width <= 0 or height == 0:
        raise Undecodable("the BMP contains no picture")
    check_size(width, abs(height), limits, bytes_per_pixel=pixel_bytes(media.format))
    masks = struct.unpack_from("<4I", head, _MASKS_OFFSET)
    if size < 56 and compression != _ALPHA_BIT_FIELDS:  # an alpha mask came with BITMAPV3INFOHEADER
        masks = (*masks[:3], 0)
    if any(mask >> bits or not _is_one_run(mask) for mask in masks) or not any(masks[:3]):
        raise Undecodable("the BMP's bit fields are damaged: each mask must be one run of bits within a pixel")
    with content.open() as stream:
        data = stream.read()
    row_bytes = (width * bits // 8 + 3) & ~3
    offset = int.from_bytes(head[10:14], "little")
    if len(data) < offset + row_bytes * abs(height):
        raise Undecodable("truncated: the BMP ends before the end of the picture")
    rows = np.frombuffer(data, np.uint8, row_bytes * abs(height), offset).reshape(abs(height), row_bytes)
    pixels = rows[:, : width * bits // 8].view("<u2" if bits == 16 else "<u4")
    return Raster(_colours(pixels if height < 0 else pixels[::-1], masks))


def _is_one_run(mask: int) -> bool:
    run = mask // (mask & -mask) if mask else 0
    return run & (run + 1) == 0


def _colours(pixels: NDArray[np.unsignedinteger], masks: tuple[int, ...]) -> Pixel8:
    """Return RGB, uint8 [height, width, 3], of packed pixels [height, width]; transparency is on white."""
    image = np.empty((*pixels.shape, 3), np.uint8)
    # Many programs write an alpha mask and leave the field empty.
    has_alpha = bool(masks[3]) and any((row & masks[3]).any() for row in pixels)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows]
        alpha = _level(strip, masks[3]).astype(np.uint16) if has_alpha else None
        for channel, mask in enumerate(masks[:3]):
            level = _level(strip, mask)
            if alpha is None:
                image[top : top + rows, :, channel] = level
            else:
                product = level * alpha + 255 * (255 - alpha) + 128
                image[top : top + rows, :, channel] = (product + (product >> 8)) >> 8  # divided by 255, rounded
    return image


def _level(pixels: NDArray[np.unsignedinteger], mask: int) -> NDArray[np.uint8]:
    """Return the values of one field, scaled to 0 to 255."""
    if not mask:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    shift += max(0, (mask >> shift).bit_length() - _MOST_BITS)  # of a wider field, the upper bits are enough
    most = mask >> shift
    table = ((np.arange(most + 1) * 255 + most // 2) // most).astype(np.uint8)
    levels: NDArray[np.uint8] = table[(pixels & mask) >> shift]
    return levels
