"""Photoshop image resource blocks, which hold IPTC, EXIF and XMP in JPEG, TIFF and PSD files."""

from __future__ import annotations

import io
from collections.abc import Iterator

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, ExifBlock

_IPTC, _EXIF, _XMP = 0x0404, 0x0422, 0x0424
_SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")
_RESOURCE_LIMIT = 10_000


def resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield id and content of each image resource (Adobe Photoshop file formats specification, image resource blocks)."""
    position = 0
    for _ in range(_RESOURCE_LIMIT):
        if data[position : position + 4] not in _SIGNATURES or position + 7 > len(data):
            return
        number = int.from_bytes(data[position + 4 : position + 6], "big")
        # A Pascal string, padded to an even number of bytes including its length byte.
        position += 6 + (data[position + 6] + 2) // 2 * 2
        length = int.from_bytes(data[position : position + 4], "big")
        position += 4
        yield number, data[position : position + length]
        position += length + (length & 1)


def iptc_of_resources(data: bytes) -> list[bytes]:
    """Return the IPTC-IIM blocks among the image resources in `data`."""
    return [content for number, content in resources(data) if number == _IPTC and content]


def read_psd(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a PSD or PSB file: header, then the image resources."""
    with content.open() as stream:
        header = stream.read(30)
        blocks.set_size(int.from_bytes(header[18:22], "big"), int.from_bytes(header[14:18], "big"))
        stream.seek(30 + int.from_bytes(header[26:30], "big"))
        length = int.from_bytes(stream.read(4), "big")
        data = stream.read(min(length, BLOCK_LIMIT_BYTES))
    for number, resource in resources(data):
        if number == _IPTC:
            blocks.iptc.append(resource)
        elif number == _EXIF:
            blocks.exif.append(ExifBlock(io.BytesIO(resource.removeprefix(b"Exif\0\0"))))
        elif number == _XMP:
            blocks.xmp.append(resource)
