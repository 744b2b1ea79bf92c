"""Metadata and size of JPEG 2000 files: boxes around the codestream (ISO 15444-1, annex I)."""

from __future__ import annotations

import io

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.containers.boxes import (
    EXIF_UUID,
    IPTC_UUID,
    boxes,
    content_of,
    find_box,
    size_of,
    take_xmp,
    uuid_of,
)


def read_jp2(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a JPEG 2000 file."""
    with content.open() as stream:
        for box in boxes(stream, 0, size_of(stream)):
            uuid = uuid_of(stream, box)
            if box.name == b"jp2h":
                header = find_box(stream, (b"ihdr",), box.start, box.end)
                data = content_of(stream, header) if header else b""
                blocks.set_size(int.from_bytes(data[4:8], "big"), int.from_bytes(data[:4], "big"))
            elif uuid == EXIF_UUID:
                blocks.exif.append(ExifBlock(io.BytesIO(content_of(stream, box, 16).removeprefix(b"Exif\0\0"))))
            elif uuid == IPTC_UUID:
                blocks.iptc.append(content_of(stream, box, 16))
            else:
                take_xmp(stream, box, blocks)
