"""Metadata and size of WebP: a pass over the chunks of its RIFF container (RFC 9649)."""

from __future__ import annotations

import io

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, ExifBlock

_CHUNK_LIMIT = 100_000


def read_webp(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a WebP file, still or animated."""
    with content.open() as stream:
        stream.seek(12)
        for _ in range(_CHUNK_LIMIT):
            header = stream.read(8)
            if len(header) < 8:
                return
            name, length = header[:4], int.from_bytes(header[4:], "little")
            padding = length & 1
            if name in (b"EXIF", b"XMP ") and length <= BLOCK_LIMIT_BYTES:
                data = stream.read(length)
                if name == b"EXIF":
                    # The standard wants the bare TIFF structure here, but many writers keep JPEG's Exif header.
                    blocks.exif.append(ExifBlock(io.BytesIO(data.removeprefix(b"Exif\0\0"))))
                else:
                    blocks.xmp.append(data)
                stream.seek(padding, io.SEEK_CUR)
                continue
            if blocks.width is None and name in (b"VP8X", b"VP8 ", b"VP8L"):
                head = stream.read(min(length, 10))
                _read_size(name, head, blocks)
                length -= len(head)
            stream.seek(length + padding, io.SEEK_CUR)


def _read_size(name: bytes, head: bytes, blocks: Blocks) -> None:
    if len(head) < 10 and not (name == b"VP8L" and len(head) >= 5):
        return
    if name == b"VP8X":
        blocks.set_size(int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1)
    elif name == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        blocks.set_size(int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF)
    elif name == b"VP8L" and head[0] == 0x2F:
        bits = int.from_bytes(head[1:5], "little")
        blocks.set_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
