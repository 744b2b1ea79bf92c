"""XMP in the trailer that Canon's software appends to files of any format."""

from __future__ import annotations

import struct
from typing import BinaryIO

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks
from photoindex.media.metadata.containers.boxes import stream_size

# As documented by ExifTool (Image::ExifTool::CanonVRD): a 28-byte header, records (type, length, content),
# and a 64-byte footer with the length of the records.
_SIGNATURE = b"CANON OPTIONAL DATA\0"
_HEADER_BYTES, _FOOTER_BYTES = 28, 64
_XMP_RECORD = 0xFFFF00F6
_RECORD_LIMIT = 100


def collect_canon_trailer_xmp(stream: BinaryIO, blocks: Blocks) -> None:
    """Append the XMP packets of a Canon trailer at the end of `stream` to `blocks`, if there is one."""
    end = stream_size(stream) - _FOOTER_BYTES
    if end < _HEADER_BYTES:
        return
    stream.seek(end)
    footer = stream.read(_FOOTER_BYTES)
    if not footer.startswith(_SIGNATURE):
        return
    (length,) = struct.unpack_from(">I", footer, len(_SIGNATURE))
    position = end - length
    for _ in range(_RECORD_LIMIT):
        if not 0 <= position <= end - 8:
            return
        stream.seek(position)
        kind, size = struct.unpack(">II", stream.read(8))
        if kind == _XMP_RECORD and size <= min(BLOCK_LIMIT_BYTES, end - position - 8):
            blocks.xmp.append(stream.read(size))
        position += 8 + size
