"""Reading boxes of ISO 14496-12 and related formats: MP4, QuickTime, Canon CR3, JPEG 2000, JPEG XL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, Directory, ExifBlock

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF_UUID = b"JpgTiffExif->JP2"
IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_BLOCKS = {b"CMT1": Directory.IMAGE, b"CMT2": Directory.EXIF, b"CMT4": Directory.GPS}
_BOX_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Box:
    """One box; its content is the bytes [start, end) of the stream, after size and name."""

    name: bytes
    start: int
    end: int


def boxes(stream: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between `start` and `end`; stops at the first with an invalid size."""
    for _ in range(_BOX_LIMIT):
        if start + 8 > end:
            return
        stream.seek(start)
        header = stream.read(16)
        size, name, content = int.from_bytes(header[:4], "big"), header[4:8], start + 8
        if size == 1:
            size, content = int.from_bytes(header[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if len(header) < 8 or start + size < content:
            return
        yield Box(name, content, min(start + size, end))
        start += size


def find_box(stream: BinaryIO, path: tuple[bytes, ...], start: int, end: int) -> Box | None:
    """Return the first box at `path` (names, outermost first), None if there is none."""
    found = next((box for box in boxes(stream, start, end) if box.name == path[0]), None)
    if found is None or len(path) == 1:
        return found
    return find_box(stream, path[1:], found.start, found.end)


def box_content(stream: BinaryIO, box: Box, skip: int = 0) -> bytes:
    """Return up to 4 MiB of a box's content, starting at byte `skip`."""
    stream.seek(box.start + skip)
    return stream.read(max(0, min(box.end - box.start - skip, BLOCK_LIMIT_BYTES)))


def stream_size(stream: BinaryIO) -> int:
    """Return the length of a stream in bytes."""
    return stream.seek(0, 2)


def box_uuid(stream: BinaryIO, box: Box) -> bytes:
    """Return the 16-byte id of a `uuid` box, b"" for any other box."""
    if box.name != b"uuid":
        return b""
    stream.seek(box.start)
    return stream.read(16)


def collect_xmp(stream: BinaryIO, box: Box, blocks: Blocks) -> None:
    """Append the XMP packet of a `uuid` box to `blocks`, if the box holds one (ISO 16684-1 part 3)."""
    if box_uuid(stream, box) == XMP_UUID:
        blocks.xmp.append(box_content(stream, box, 16))


def collect_canon_exif(stream: BinaryIO, movie: Box, blocks: Blocks) -> None:
    """Append the TIFF directories that Canon's CR3 and newer MP4 files hold in a `uuid` box of `moov`, one a box."""
    for box in boxes(stream, movie.start, movie.end):
        if box_uuid(stream, box) != _CANON_UUID:
            continue
        for part in boxes(stream, box.start + 16, box.end):
            if part.name in _CANON_BLOCKS:
                data = io.BytesIO(box_content(stream, part))
                blocks.exif.append(ExifBlock(data, first=_CANON_BLOCKS[part.name]))
