"""XMP that Canon's programs append to a file of any format, behind all that other programs read."""

from __future__ import annotations

import struct
from typing import BinaryIO

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks
from photoindex.media.metadata.containers.boxes import size_of

# As ExifTool describes it (Image::ExifTool::CanonVRD): a header of 28 bytes, records of a type, a length and their content,
# and a footer of 64 bytes with the length of the records.
_SIGNATURE = b"CANON OPTIONAL DATA\0"
_HEADER_BYTES, _FOOTER_BYTES = 28, 64
_XMP_RECORD = 0xFFFF00F6
_RECORD_LIMIT = 100


def take_canon_trailer(stream: BinaryIO, blocks: Blocks) -> None:
    """Add the packets of a trailer at the end of `stream` to `blocks`, none where there is no trailer."""
    end = size_of(stream) - _FOOTER_BYTES
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
