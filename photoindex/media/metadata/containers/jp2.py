"""Metadata and size of JPEG 2000 files, from the boxes around the codestream (ISO 15444-1, annex I)."""

from __future__ import annotations

import io

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.containers.boxes import (
    EXIF_UUID,
    IPTC_UUID,
    box_content,
    box_uuid,
    boxes,
    collect_xmp,
    find_box,
    stream_size,
)


def read_jp2(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a JPEG 2000 file."""
    with content.open() as stream:
        for box in boxes(stream, 0, stream_size(stream)):
            uuid = box_uuid(stream, box)
            if box.name == b"jp2h":
                header = find_box(stream, (b"ihdr",), box.start, box.end)
                data = box_content(stream, header) if header else b""
                blocks.set_size(int.from_bytes(data[4:8], "big"), int.from_bytes(data[:4], "big"))
            elif uuid == EXIF_UUID:
                blocks.exif.append(ExifBlock(io.BytesIO(box_content(stream, box, 16).removeprefix(b"Exif\0\0"))))
            elif uuid == IPTC_UUID:
                blocks.iptc.append(box_content(stream, box, 16))
            else:
                collect_xmp(stream, box, blocks)
