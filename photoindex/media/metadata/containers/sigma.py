"""Sigma X3F: a list of named text properties (older cameras), or EXIF in an embedded JPEG (newer ones)."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks
from photoindex.media.metadata.containers.jpeg import scan_jpeg
from photoindex.media.metadata.findings import clean_text

# Sigma's property names -> names that `container_tags` knows.
_NAMES = {
    "CAMMANUF": "make",
    "CAMMODEL": "model",
    "CAMSERIAL": "serial",
    "ISO": "iso",
    "AP_DESC": "aperture",
    "SHUTTER": "exposure_seconds",
    "FLENGTH": "focal_length_mm",
    "FLEQ35MM": "focal_length_35mm",
}
_SECTION_LIMIT = 100
_PROPERTY_LIMIT = 500
_JPEG_FORMAT = 18
_EMBEDDED_LIMIT_BYTES = 64 << 20


def read_sigma(stream: BinaryIO, blocks: Blocks) -> None:
    """Fill `blocks` from the property list and the EXIF of the embedded JPEG."""
    header = stream.read(40)
    columns, rows, rotation = struct.unpack_from("<III", header, 28)
    blocks.set_size(columns, rows)
    blocks.orientation = {90: 6, 180: 3, 270: 8}.get(rotation)
    stream.seek(-4, io.SEEK_END)
    (directory,) = struct.unpack("<I", stream.read(4))
    stream.seek(directory + 8)
    (count,) = struct.unpack("<I", stream.read(4))
    entries = stream.read(12 * min(count, _SECTION_LIMIT))
    for offset, length, name in struct.iter_unpack("<II4s", entries[: len(entries) // 12 * 12]):
        stream.seek(offset)
        if name == b"PROP":
            _read_properties(stream.read(min(length, BLOCK_LIMIT_BYTES)), blocks)
        elif name == b"IMA2" and not blocks.exif:
            section = stream.read(min(length, _EMBEDDED_LIMIT_BYTES))
            if section[12:13] == bytes([_JPEG_FORMAT]):
                embedded = Blocks()
                scan_jpeg(section[28:], embedded)
                blocks.exif.extend(embedded.exif)


def _read_properties(section: bytes, blocks: Blocks) -> None:
    (count,) = struct.unpack_from("<I", section, 8)
    start = 24 + 8 * count
    for index in range(min(count, _PROPERTY_LIMIT)):
        name, value = (_text(section, start + 2 * at) for at in struct.unpack_from("<II", section, 24 + 8 * index))
        if name in _NAMES:
            blocks.tags[_NAMES[name]] = value
        elif name == "LENSFRANGE":
            blocks.tags["lens"] = f"{value} mm"
        elif name == "TIME" and value.isascii() and value.isdigit():
            wall = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(int(value), 0xFFFFFFFF))
            blocks.tags["datetimeoriginal"] = wall.strftime("%Y:%m:%d %H:%M:%S")


def _text(section: bytes, start: int) -> str:
    characters = section[start : start + 512].decode("utf-16-le", "replace")
    return clean_text(characters.partition("\0")[0])
