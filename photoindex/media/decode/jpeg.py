"""Decoding JPEG, the hot path: scaled decoding with libjpeg-turbo, with a slower fallback for damaged and unusual files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.colour import adobe_rgb_profile
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

_SPACES = {1: Space.GREY, 3: Space.RGB, 4: Space.CMYK}
_CODEC_SPACES = {Space.GREY: "GRAY", Space.RGB: "RGB", Space.CMYK: "CMYK"}
_END_OF_IMAGE = b"\xff\xd9"
# ITU-T T.81, table B.1: frames are C0 to CF without DHT (C4), JPG (C8) and DAC (CC).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Baseline, extended and progressive DCT, Huffman or arithmetic: what the codec can scale while decoding.
_SCALABLE_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_PROGRESSIVE_FRAMES = frozenset({0xC2, 0xCA})
_COEFFICIENT_BYTES = 2  # all coefficients of a progressive JPEG are kept until its last scan
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_ORIENTATION, _EXIF_POINTER, _COLOUR_SPACE, _INTEROP_POINTER, _INTEROP_INDEX = 0x0112, 0x8769, 0xA001, 0xA005, 0x0001
_ASCII, _SHORT = 2, 3
_ByteOrder = Literal["little", "big"]
_BYTE_ORDERS: dict[bytes, _ByteOrder] = {b"II": "little", b"MM": "big"}
_ADOBE_RGB, _DCF_OPTION_FILE = 2, int.from_bytes(b"R03\0", "big")
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")
_MAX_ENTRIES = 512
_SCAN_MARKER = b"\xff\xda"
_UNUSUAL_SAMPLING = "not determine subsampling"
_MAX_SCANS = 100
"""libjpeg's own script has 10 scans; optimisers write up to about 40."""


@dataclass(slots=True)
class _Header:
    """Values from the segments before the pixels; `scan_offset` is where the pixels begin."""

    width: int = 0
    height: int = 0
    components: int = 0
    frame_marker: int = 0
    bits: int = 0
    is_adobe_rgb: bool = False
    orientation: int | None = None
    scan_offset: int = 0
    icc_parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def is_scalable(self) -> bool:
        """Whether the codec can decode at a smaller size.

        For lossless frames it ignores the size and writes the full picture into a buffer for the smaller one.
        """
        return self.frame_marker in _SCALABLE_FRAMES and self.bits == 8

    @property
    def icc(self) -> bytes | None:
        """The embedded profile, joined from its segments (ICC.1, annex B.4), or the one that EXIF implies."""
        if self.icc_parts:
            return b"".join(self.icc_parts[number] for number in sorted(self.icc_parts))
        return adobe_rgb_profile() if self.is_adobe_rgb and self.components == 3 else None


def read_jpeg(content: Content, _media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a JPEG (also the first picture of an MPO, the base picture of an Ultra HDR); a `Reader`.

    Raises TooLarge, Undecodable (no picture, or truncated so that pixels are missing).
    """
    data = content.data
    if data is None:
        with content.open() as stream:
            data = stream.read()
    return jpeg_raster(data, longest_side_px, limits)


def jpeg_raster(data: bytes, longest_side_px: int, limits: Limits) -> Raster:
    """Decode the JPEG in `data` at the smallest eighth of its size whose longest side is >= `longest_side_px`.

    Raises TooLarge, Undecodable.
    """
    header = _read_header(data)
    if not header.width or not header.height:
        raise Undecodable("the JPEG contains no picture")
    bytes_per_pixel = _COEFFICIENT_BYTES * header.components if header.frame_marker in _PROGRESSIVE_FRAMES else 0
    check_size(header.width, header.height, limits, bytes_per_pixel=bytes_per_pixel)
    _check_scans(data, header)
    space = _SPACES.get(header.components)
    if space is None:
        raise Undecodable(f"unsupported JPEG with {header.components} colour components")
    image, notes = _decode(data, header, space, longest_side_px)
    if image is None:
        image, space = _decode_with_pillow(data, header, longest_side_px)
    elif space is Space.CMYK:
        # Adobe stores ink inverted, and so does who leaves out its marker: browsers, libvips and Pillow read it so.
        image = 255 - image
    return Raster(image, space, header.orientation or 1, header.icc, (header.width, header.height), notes=notes)


def _check_scans(data: bytes, header: _Header) -> None:
    """Raise Undecodable for a picture with so many scans that it can only be meant to keep a decoder busy.

    Each scan of a progressive JPEG goes through the whole picture, even if it is a few bytes long.
    """
    if header.frame_marker not in _PROGRESSIVE_FRAMES:
        return
    end = data.find(_END_OF_IMAGE, header.scan_offset)
    # In coded data 0xFF is always followed by 0 or a restart marker.
    scans = 1 + data.count(_SCAN_MARKER, header.scan_offset, end if end > 0 else len(data))
    if scans > _MAX_SCANS:
        raise Undecodable(f"the JPEG has {scans:,} scans, more than {_MAX_SCANS}; ordinary ones have about 10")


def jpeg_orientation(data: bytes) -> int | None:
    """Return the EXIF orientation (1 to 8) in a JPEG, None if it has none."""
    return _read_header(data).orientation


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return the stored width and height in pixels, (0, 0) if there is no frame."""
    header = _read_header(data)
    return header.width, header.height


def _decode(data: bytes, header: _Header, space: Space, longest_side_px: int) -> tuple[Pixel8 | None, tuple[str, ...]]:
    """Return pixels and notes; the pixels are None if the fast codec cannot read this JPEG. Raises Undecodable."""
    if not header.is_scalable:
        return None, ()
    try:
        return _fast(data, header, space, longest_side_px, strict=True), ()
    except ValueError as error:
        codec_error = str(error)
    if _UNUSUAL_SAMPLING in codec_error:
        return None, ()
    if data.rfind(_END_OF_IMAGE) < header.scan_offset:
        try:
            image = _fast(data + _END_OF_IMAGE, header, space, longest_side_px, strict=True)
        except ValueError as error:
            raise Undecodable(f"truncated: the file ends before the end of the picture ({error})") from error
        return image, ("the JPEG's end marker is missing",)
    if "premature end of data segment" in codec_error:
        raise Undecodable(f"truncated: part of the picture is missing ({codec_error})")
    try:
        return _fast(data, header, space, longest_side_px, strict=False), (f"damaged: {codec_error}",)
    except ValueError:
        return None, (f"damaged: {codec_error}",)


def _fast(data: bytes, header: _Header, space: Space, longest_side_px: int, *, strict: bool) -> Pixel8:
    import simplejpeg

    wide = header.width >= header.height
    image: Pixel8 = simplejpeg.decode_jpeg(
        data,
        _CODEC_SPACES[space],
        min_width=longest_side_px if wide else 0,
        min_height=0 if wide else longest_side_px,
        strict=strict,
    )
    return image[..., 0] if space is Space.GREY else image


def _decode_with_pillow(data: bytes, header: _Header, longest_side_px: int) -> tuple[Pixel8, Space]:
    """Decode what the fast codec rejects: lossless JPEG, junk between segments. Pillow inverts CMYK itself."""
    from PIL import Image, JpegImagePlugin

    with Image.open(io.BytesIO(data), formats=[JpegImagePlugin.JpegImageFile.format]) as picture:
        if header.is_scalable:
            picture.draft(None, (longest_side_px, longest_side_px))
        space = Space(picture.mode) if picture.mode in tuple(Space) else Space.RGB
        loaded = picture if picture.mode == space.value else picture.convert(space.value)
        return np.asarray(loaded), space


def _read_header(data: bytes) -> _Header:
    header = _Header()
    for marker, start, end in _segments(data):
        if marker == _START_OF_SCAN:
            header.scan_offset = start
            break
        if marker in _FRAME_MARKERS and not header.frame_marker and end - start >= 6:
            header.frame_marker, header.bits = marker, data[start]
            header.height = int.from_bytes(data[start + 1 : start + 3], "big")
            header.width = int.from_bytes(data[start + 3 : start + 5], "big")
            header.components = data[start + 5]
        elif marker == _APP1:
            _read_app1(data, start, end, header)
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start, end) and end - start > 14:
            header.icc_parts.setdefault(data[start + 12], data[start + 14 : end])
    return header


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of the payload of each segment up to the first scan; junk between them is skipped."""
    offset = 2
    while (offset := data.find(b"\xff", offset)) >= 0 and offset + 4 <= len(data):
        marker = data[offset + 1]
        if marker in (0x00, 0xFF) or marker in _BARE_MARKERS:
            offset += 1 if marker == 0xFF else 2
            continue
        if marker == _END:
            return
        length = int.from_bytes(data[offset + 2 : offset + 4], "big")
        yield marker, offset + 4, min(offset + 2 + max(2, length), len(data))
        offset += 2 + max(2, length)


def _read_app1(data: bytes, start: int, end: int, header: _Header) -> None:
    if data.startswith(b"Exif\0", start, end):
        _read_exif(data[start + 6 : end], header)
    elif header.orientation is None and data.startswith(b"http://ns.adobe.com/xap/1.0/\0", start, end):
        match = _XMP_ORIENTATION.search(data, start, end)
        header.orientation = int(match[1]) if match else None


def _read_exif(block: bytes, header: _Header) -> None:
    """Read the orientation and whether the colours are Adobe RGB (EXIF 2.32; DCF 2.0 for the interoperability index)."""
    order = _BYTE_ORDERS.get(block[:2])
    if order is None:
        return
    image = _directory(block, order, int.from_bytes(block[4:8], order), {_ORIENTATION, _EXIF_POINTER})
    value = image.get(_ORIENTATION, 0)
    if 1 <= value <= 8:
        header.orientation = value
    exif = _directory(block, order, image.get(_EXIF_POINTER, 0), {_COLOUR_SPACE, _INTEROP_POINTER})
    index = _directory(block, order, exif.get(_INTEROP_POINTER, 0), {_INTEROP_INDEX})
    header.is_adobe_rgb = exif.get(_COLOUR_SPACE) == _ADOBE_RGB or index.get(_INTEROP_INDEX) == _DCF_OPTION_FILE


def _directory(block: bytes, order: _ByteOrder, offset: int, wanted: set[int]) -> dict[int, int]:
    """Return the numbers of the `wanted` tags in the directory at `offset` of an EXIF block, {} for an offset of 0."""
    found: dict[int, int] = {}
    count = int.from_bytes(block[offset : offset + 2], order) if offset else 0
    for entry in range(offset + 2, offset + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        tag, kind = int.from_bytes(block[entry : entry + 2], order), int.from_bytes(block[entry + 2 : entry + 4], order)
        if tag in wanted and entry + 12 <= len(block):
            value = block[entry + 8 : entry + 12]
            # Short numbers are at the start of the field in either byte order; text is compared as big-endian bytes.
            found[tag] = int.from_bytes(value[:2] if kind == _SHORT else value, "big" if kind == _ASCII else order)
    return found
