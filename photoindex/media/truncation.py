"""Detecting files with missing data from the offsets and sizes in their own TIFF directories and boxes."""

from __future__ import annotations

from collections.abc import Iterator

from photoindex.media.content import Content
from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.media.identify.tiff_walk import TiffEntry, walk

# TIFF 6.0: strips and tiles with their byte counts; Panasonic's private offset of the sensor data.
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _PANASONIC_DATA = 0x0111, 0x0117, 0x0144, 0x0145, 0x0118
_BLOCKS = ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES), (_PANASONIC_DATA, _STRIP_BYTES))
_WANTED = frozenset({_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _PANASONIC_DATA})
_COMPRESSION, _PHOTOMETRIC = 0x0103, 0x0106
_JPEG_COMPRESSION, _RAW_PHOTOMETRIC = {7, 34892}, {32803, 34892}  # DNG 1.7: lossless and lossy; mosaic and linear
_START_OF_IMAGE = b"\xff\xd8"
_NO_OFFSET = 0xFFFFFFFF
_FUJI_TABLE, _FUJI_TABLE_BYTES = 84, 24
_BOX_NAMES = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mfra",
        b"sidx",
        b"mdat",
        b"meta",
        b"uuid",
        b"wide",
        b"free",
        b"skip",
        b"pnot",
    }
)
"""Boxes of ISO 14496-12 and QuickTime; anything else after them may be unrelated data appended to the file."""
_SLACK = 64
"""Byte counts of some cameras are slightly wrong: missing less than 1/64 of the file is not treated as damage."""


def missing_bytes(content: Content) -> int:
    """Return how many bytes are missing at the end of a TIFF-based or box-based file, 0 if none or unknown.

    Raises OSError.
    """
    with RangedReader(content.head, content.open) as reader:
        expected_bytes = max(_expected_ends(reader), default=0)
    missing = expected_bytes - content.size_bytes
    return missing if missing > expected_bytes // _SLACK else 0


def blocks_without_jpeg(content: Content) -> int:
    """Return how many strips and tiles of a DNG's sensor data should be JPEGs and do not begin like one.

    So it is where a disk gave zeros for what it could not read. Raises OSError.
    """
    wanted = frozenset({_COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _TILE_OFFSETS})
    with RangedReader(content.head, content.open) as reader:
        starts = [
            offset
            for entries in walk(reader, wanted)
            if _has_value(entries, _COMPRESSION, _JPEG_COMPRESSION)
            and _has_value(entries, _PHOTOMETRIC, _RAW_PHOTOMETRIC)
            for tag in (_STRIP_OFFSETS, _TILE_OFFSETS)
            if tag in entries
            for offset in entries[tag].numbers()
        ]
        return sum(reader.read(offset, len(_START_OF_IMAGE)) != _START_OF_IMAGE for offset in starts)


def _has_value(entries: dict[int, TiffEntry], tag: int, values: set[int]) -> bool:
    return tag in entries and bool(values.intersection(entries[tag].numbers()[:1]))


def _expected_ends(reader: RangedReader) -> Iterator[int]:
    head = reader.head
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR", b"IIU\0"):
        for entries in walk(reader, _WANTED):
            for offsets, counts in _BLOCKS:
                if offsets in entries and counts in entries:
                    yield from _block_ends(entries[offsets], entries[counts])
    elif head.startswith(b"FUJIFILMCCD-RAW"):
        table = head[_FUJI_TABLE : _FUJI_TABLE + _FUJI_TABLE_BYTES]
        numbers = [int.from_bytes(table[start : start + 4], "big") for start in range(0, len(table), 4)]
        yield from (offset + size for offset, size in zip(numbers[::2], numbers[1::2], strict=False))
    elif head[4:8] in _BOX_NAMES:
        for name, start, size in top_level_boxes(reader):
            if name in _BOX_NAMES and size < 1 << 62:
                yield start + size


def _block_ends(offsets: TiffEntry, counts: TiffEntry) -> Iterator[int]:
    for offset, count in zip(offsets.numbers(), counts.numbers(), strict=False):
        if offset != _NO_OFFSET:
            yield offset + count
