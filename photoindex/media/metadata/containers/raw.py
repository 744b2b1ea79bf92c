"""Metadata and size of RAW files, by maker."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, ExifBlock
from photoindex.media.metadata.containers.boxes import boxes, collect_canon_exif, collect_xmp, find_box, stream_size
from photoindex.media.metadata.containers.ciff import read_ciff
from photoindex.media.metadata.containers.jpeg import scan_jpeg
from photoindex.media.metadata.containers.sigma import read_sigma
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.standards.exif import jpeg_from_raw, largest_size
from photoindex.media.raw_geometry import orientation, upright_size

_EMBEDDED_LIMIT_BYTES = 64 << 20


def read_raw(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a RAW file of any maker; the size comes from LibRaw, or else from the tags."""
    stream = blocks.keep_open(content.open())
    with guarded(blocks.notes.append, "container: damaged RAW"):
        _reader_of(content.head)(stream, blocks)
    with guarded(blocks.notes.append, "container: LibRaw cannot read the header"):
        _read_size(content, blocks)
    if blocks.width is None:
        for block in blocks.exif[:1]:
            with guarded(blocks.notes.append, "container: damaged TIFF"):
                blocks.set_size(*(largest_size(block) or (0, 0)))


def _reader_of(head: bytes) -> Callable[[BinaryIO, Blocks], None]:
    if head[6:14] == b"HEAPCCDR":
        return read_ciff
    return next((reader for magic, reader in _READERS if head.startswith(magic)), _read_unknown)


def _read_size(content: Content, blocks: Blocks) -> None:
    import rawpy

    with content.open() as stream, rawpy.RawPy() as raw:
        raw.open_buffer(stream)
        sizes = raw.sizes
    blocks.set_size(*upright_size(sizes))
    blocks.upright, blocks.orientation = True, orientation(sizes)


def _read_tiff(stream: BinaryIO, blocks: Blocks) -> None:
    blocks.exif.append(ExifBlock(stream))


def _read_panasonic(stream: BinaryIO, blocks: Blocks) -> None:
    """Panasonic RW2 and Leica RWL: a TIFF with some of the facts, and one tag with a JPEG that has all of them."""
    _read_tiff(stream, blocks)
    blocks.exif.extend(_embedded(jpeg_from_raw(blocks.exif[0])).exif)


def _read_unknown(_stream: BinaryIO, blocks: Blocks) -> None:
    blocks.notes.append("container: metadata of this RAW format is not supported")


def _read_canon_boxes(stream: BinaryIO, blocks: Blocks) -> None:
    """Canon CR3: each TIFF directory is in a box of its own."""
    end = stream_size(stream)
    movie = find_box(stream, (b"moov",), 0, end)
    if movie is not None:
        collect_canon_exif(stream, movie, blocks)
    for box in boxes(stream, 0, end):
        collect_xmp(stream, box, blocks)


def _read_fuji(stream: BinaryIO, blocks: Blocks) -> None:
    """Fujifilm RAF: byte 84 holds the offset of a JPEG with the camera's EXIF."""
    stream.seek(84)
    offset, length = (int.from_bytes(stream.read(4), "big") for _ in range(2))
    stream.seek(offset)
    embedded = _embedded(stream.read(min(length, _EMBEDDED_LIMIT_BYTES)))
    blocks.exif.extend(embedded.exif)
    blocks.xmp.extend(embedded.xmp)


def _embedded(jpeg: bytes) -> Blocks:
    found = Blocks()
    scan_jpeg(jpeg, found)
    return found


def _read_minolta(stream: BinaryIO, blocks: Blocks) -> None:
    """Minolta MRW: blocks with a name and a length; the TTW block is a TIFF structure."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "big")
    while (position := stream.tell()) + 8 <= end:
        name, length = stream.read(4), int.from_bytes(stream.read(4), "big")
        if name == b"\0TTW":
            blocks.exif.append(ExifBlock(io.BytesIO(stream.read(min(length, BLOCK_LIMIT_BYTES)))))
            return
        if len(name) < 4:
            return
        stream.seek(position + 8 + length)


_READERS: tuple[tuple[bytes, Callable[[BinaryIO, Blocks], None]], ...] = (
    (b"IIU\0", _read_panasonic),
    (b"II", _read_tiff),
    (b"MM", _read_tiff),
    (b"FUJIFILMCCD-RAW", _read_fuji),
    (b"\0MRM", _read_minolta),
    (b"FOVb", read_sigma),
    (b"\0\0\0\x18ftypcrx ", _read_canon_boxes),
)
"""Magic bytes and the reader of the container; all TIFF-based formats (CR2, NEF, ARW, DNG, ORF …) share one."""
