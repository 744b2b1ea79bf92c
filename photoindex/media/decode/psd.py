"""Decoding the merged picture of Photoshop files: PSD and PSB, of 8 and 16 bits a channel."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photoindex.decoder_memory import pixel_bytes
from photoindex.media.content import Content
from photoindex.media.decode.pillow import raster_from_pillow, read_still
from photoindex.media.decode.raster import Raster, check_size
from photoindex.media.metadata.containers.photoshop import resources
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import Image

_HEADER = struct.Struct(">4sH6xHIIHH")  # signature, version, channels, height, width, depth, mode
_PSB = 2
_MODES = {1: "L", 3: "RGB", 4: "CMYK", 8: "L", 9: "LAB"}
_ICC_PROFILE = 1039
_RAW, _PACK_BITS = 0, 1


def read_psd(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode the merged picture; a `Reader`. Raises TooLarge, OutOfMemory, Undecodable.

    Pillow reads 8 bits a channel in PSD; 16 bits, of which the upper 8 are used, and PSB are read here
    (Adobe Photoshop file formats specification).
    """
    from PIL import Image

    head = content.head
    if len(head) < _HEADER.size:
        raise Undecodable("truncated: the file ends within its header")
    _, version, channels, height, width, depth, mode_number = _HEADER.unpack_from(head)
    if depth <= 8 and version != _PSB:
        return read_still(content, media, longest_side_px, limits)
    mode = _MODES.get(mode_number)
    if mode is None or depth not in (8, 16):
        raise Undecodable(
            f"a Photoshop file of {depth} bits a channel in colour mode {mode_number} is not supported; "
            "save it as TIFF, or with 16 bits a channel in RGB"
        )
    if not width or not height:
        raise Undecodable("the Photoshop file contains no picture")
    check_size(width, height, limits, bytes_per_pixel=pixel_bytes(media.format) + channels * depth // 8)
    with content.open() as stream:
        data = memoryview(stream.read())
    wide = version == _PSB
    offset, icc = _sections(data, wide=wide)
    has_alpha = mode == "RGB" and channels == 4
    kept = len(mode) + has_alpha if mode != "L" else 1
    if channels < kept:
        raise Undecodable(f"the Photoshop file has {channels} channels, too few for {mode}")
    layout = _Layout(width, height, depth // 8, channels, wide=wide)
    planes = [_plane(part, layout) for part in _parts(data, offset, layout)[:kept]]
    if mode == "CMYK":
        planes = [plane.point(lambda ink: 255 - ink) for plane in planes]  # 0 is full ink here
    picture = Image.merge("RGBA" if has_alpha else mode, planes)
    if icc:
        picture.info["icc_profile"] = icc
    return raster_from_pillow(picture, longest_side_px)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Size in pixels, bytes of a value, channels, and whether the file is a PSB, whose lengths are wider."""

    width: int
    height: int
    value_bytes: int
    channels: int
    wide: bool


def _sections(data: memoryview, *, wide: bool) -> tuple[int, bytes | None]:
    """Return where the merged picture begins, and the colour profile among the image resources."""
    start = _HEADER.size + 4 + _number(data, _HEADER.size, 4)
    size = _number(data, start, 4)
    block = bytes(data[start + 4 : start + 4 + size])
    icc = next((content for number, content in resources(block) if number == _ICC_PROFILE), None)
    start += 4 + size
    width = 8 if wide else 4
    return start + width + _number(data, start, width), icc


def _number(data: memoryview, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def _parts(data: memoryview, offset: int, layout: _Layout) -> list[tuple[int, memoryview]]:
    """Return compression and data of each channel. Raises Undecodable."""
    compression = _number(data, offset, 2)
    offset += 2
    if compression == _RAW:
        sizes = [layout.width * layout.height * layout.value_bytes] * layout.channels
    elif compression == _PACK_BITS:
        width = 4 if layout.wide else 2
        count = layout.channels * layout.height
        table = np.frombuffer(data[offset : offset + width * count], f">u{width}")
        if len(table) < count:
            raise Undecodable("truncated: the Photoshop file ends before its merged picture")
        sizes = table.reshape(layout.channels, layout.height).sum(axis=1, dtype=np.int64).tolist()
        offset += width * count
    else:
        raise Undecodable(f"the merged picture is compressed by method {compression}, which is not supported")
    parts = []
    for size in sizes:
        parts.append((compression, data[offset : offset + size]))
        offset += size
    if offset > len(data):
        raise Undecodable(f"truncated: {offset - len(data)} bytes of the merged picture are missing")
    return parts


def _plane(part: tuple[int, memoryview], layout: _Layout) -> Image.Image:
    """Return a channel as a grey picture of its upper 8 bits."""
    from PIL import Image

    compression, data = part
    row = layout.width * layout.value_bytes
    name = "packbits" if compression == _PACK_BITS else "raw"
    values = np.asarray(Image.frombytes("L", (row, layout.height), bytes(data), name, "L"))
    return Image.fromarray(np.ascontiguousarray(values[:, :: layout.value_bytes]))
