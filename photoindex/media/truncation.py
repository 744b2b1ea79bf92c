"""Finding files that were cut short, by what their own directories say must be in them."""

from __future__ import annotations

from collections.abc import Iterator

from photoindex.media.content import Content
from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.ranged_reader import Reach
from photoindex.media.identify.tiff_walk import Entry, walk

# TIFF 6.0: strips and tiles with their byte counts; Panasonic's own offset of the sensor's data.
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _PANASONIC_DATA = 0x0111, 0x0117, 0x0144, 0x0145, 0x0118
_BLOCKS = ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES), (_PANASONIC_DATA, _STRIP_BYTES))
_WANTED = frozenset({_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _PANASONIC_DATA})
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
"""Boxes of ISO 14496-12 and QuickTime; other names behind them may be anything that was appended to the file."""
_SLACK = 64
"""Byte counts of some cameras are a little off: less than this part of the whole missing is no damage."""


def missing_bytes(content: Content) -> int:
    """Return how many bytes at the end a file built of TIFF directories or of boxes lacks, 0 where nothing shows it.

    Raises OSError.
    """
    with Reach(content.head, content.open) as reach:
        promised = max(_ends(reach), default=0)
    missing = promised - content.size_bytes
    return missing if missing > promised // _SLACK else 0


def _ends(reach: Reach) -> Iterator[int]:
    head = reach.head
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR", b"IIU\0"):
        for entries in walk(reach, _WANTED):
            for offsets, counts in _BLOCKS:
                if offsets in entries and counts in entries:
                    yield from _ends_of_blocks(entries[offsets], entries[counts])
    elif head.startswith(b"FUJIFILMCCD-RAW"):
        table = head[_FUJI_TABLE : _FUJI_TABLE + _FUJI_TABLE_BYTES]
        numbers = [int.from_bytes(table[start : start + 4], "big") for start in range(0, len(table), 4)]
        yield from (offset + size for offset, size in zip(numbers[::2], numbers[1::2], strict=False))
    elif head[4:8] in _BOX_NAMES:
        for name, start, size in top_level_boxes(reach):
            if name in _BOX_NAMES and size < 1 << 62:
                yield start + size


def _ends_of_blocks(offsets: Entry, counts: Entry) -> Iterator[int]:
    for offset, count in zip(offsets.numbers(), counts.numbers(), strict=False):
        if offset != _NO_OFFSET:
            yield offset + count
