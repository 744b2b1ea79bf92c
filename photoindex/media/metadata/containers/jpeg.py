"""Metadata and size of JPEG: one pass over the segments before the pixels (ITU-T T.81, annex B)."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, ExifBlock
from photoindex.media.metadata.containers.ciff import read_ciff
from photoindex.media.metadata.containers.photoshop import iptc_of_resources
from photoindex.media.metadata.encodings import with_stray_bytes
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.guard import guarded

_EXIF = b"Exif\0"
_BYTE_ORDERS = (b"II", b"MM")
_CIFF = b"HEAPJPGM"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_GUID_BYTES = 32
_SEGMENT_LIMIT = 20_000
_UNHELD_BYTES = 16 << 20

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
# Start-of-frame markers of all processes; C4, C8 and CC are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def read_jpeg(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from the first picture of a JPEG, MPO or Ultra HDR file."""
    if content.data is not None:
        scan_jpeg(content.data, blocks)
    else:
        with content.open() as stream:
            scan_jpeg(stream.read(_UNHELD_BYTES), blocks)


def scan_jpeg(data: bytes, blocks: Blocks) -> None:
    """Fill `blocks` from the segments of the JPEG in `data`, up to its first scan."""
    found = _SplitBlocks()
    position = 2
    for _ in range(_SEGMENT_LIMIT):
        position = data.find(b"\xff", position)
        if position < 0 or position + 4 > len(data):
            break
        marker = data[position + 1]
        if marker in (0xFF, 0x00):  # fill bytes, or junk between segments
            position += 1
            continue
        if marker in _STANDALONE:
            position += 2
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            break
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        start, end = position + 4, position + 2 + length
        if length < 2:
            position += 2
            continue
        if marker == 0xE0 and data.startswith(_CIFF, start + 6):
            _read_ciff_segment(data[start:end], blocks)
        elif marker == 0xE1:
            _read_app1(data, start, end, blocks, found)
        elif marker == 0xED and data.startswith(_PHOTOSHOP, start):
            found.photoshop.append(data[start + len(_PHOTOSHOP) : end])
        elif marker == 0xFE:
            blocks.tags.setdefault("comment", clean_text(with_stray_bytes(data[start:end])))
        elif marker in _FRAMES:
            _read_frame(data[start : start + 5], blocks)
        position = end
    _join_parts(found, blocks)


@dataclass(slots=True)
class _SplitBlocks:
    """Blocks that may span several segments; `extensions`: GUID -> offset -> part of an extended XMP packet."""

    exif: list[bytes] = field(default_factory=list)
    photoshop: list[bytes] = field(default_factory=list)
    extensions: dict[bytes, dict[int, bytes]] = field(default_factory=dict)


def _read_app1(data: bytes, start: int, end: int, blocks: Blocks, found: _SplitBlocks) -> None:
    if data.startswith(_EXIF, start):
        # The header is padded to six bytes; some writers do not pad with NUL.
        block = data[start + 6 : end]
        # A block too large for one segment continues in the next, without a TIFF header; a second complete block is a copy.
        if (block[:2] in _BYTE_ORDERS) != bool(found.exif):
            found.exif.append(block)
        elif not found.exif:
            blocks.notes.append("exif: the block has no TIFF header")
    elif data.startswith(_XMP, start):
        blocks.xmp.append(data[start + len(_XMP) : end])
    elif data.startswith(_EXTENDED_XMP, start):
        head = start + len(_EXTENDED_XMP)
        guid = data[head : head + _GUID_BYTES]
        total, offset = (
            int.from_bytes(data[head + _GUID_BYTES + at : head + _GUID_BYTES + at + 4], "big") for at in (0, 4)
        )
        if total <= BLOCK_LIMIT_BYTES:
            found.extensions.setdefault(guid, {})[offset] = data[head + _GUID_BYTES + 8 : end]


def _read_ciff_segment(segment: bytes, blocks: Blocks) -> None:
    """Read the tags of early Canon PowerShots, which wrote no EXIF; the size is taken from the JPEG frame instead."""
    heap = Blocks()
    with guarded(blocks.notes.append, "container: damaged CIFF"):
        read_ciff(io.BytesIO(segment), heap)
    blocks.tags.update(heap.tags)


def _read_frame(header: bytes, blocks: Blocks) -> None:
    if len(header) == 5:
        blocks.set_size(int.from_bytes(header[3:], "big"), int.from_bytes(header[1:3], "big"))


def _join_parts(found: _SplitBlocks, blocks: Blocks) -> None:
    if found.exif:
        blocks.exif.append(ExifBlock(io.BytesIO(b"".join(found.exif))))
    if found.photoshop:
        blocks.iptc.extend(iptc_of_resources(b"".join(found.photoshop)))
    blocks.xmp.extend(_join_extended_xmp(found.extensions))


def _join_extended_xmp(extensions: dict[bytes, dict[int, bytes]]) -> list[bytes]:
    """Return the extended packets (XMP part 3, 1.1.3.1) that are complete."""
    packets = []
    for parts in extensions.values():
        packet = b""
        for offset in sorted(parts):
            if offset != len(packet):
                break
            packet += parts[offset]
        else:
            packets.append(packet)
    return packets
