"""Estimates at which quality a JPEG was saved, from its quantisation tables (ITU-T T.81, B.2.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from photoindex.media.identify.ranged_reader import RangedReader

_SEGMENTS_MAX = 1_000
_START_OF_SCAN, _TABLES = 0xDA, 0xDB
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_LUMINANCE = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101,
    103, 99,
)  # fmt: skip
"""Table K.1 of ITU-T T.81 in zigzag order, which encoders scale by the quality."""


def jpeg_quality(reader: RangedReader) -> int | None:
    """Return the quality, 1 to 100, that the Independent JPEG Group's encoder would have been given; None if unknown.

    Encoders with tables of their own get the one that rounds about as coarsely. Raises OSError.
    """
    for kind, start, length in _segments(reader):
        if kind == _TABLES and (table := _luminance(reader.read(start, length))) is not None:
            scale = 100 * sum(table) / sum(_LUMINANCE)
            quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
            return min(100, max(1, round(quality)))
    return None


def _segments(reader: RangedReader) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and length of the segments before the pixels."""
    position = 2
    for _ in range(_SEGMENTS_MAX):
        head = reader.read(position, 4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == _START_OF_SCAN:
            return
        if head[1] == 0xFF:
            position += 1
        elif head[1] in _WITHOUT_LENGTH:
            position += 2
        else:
            length = int.from_bytes(head[2:], "big")
            yield head[1], position + 4, length - 2
            position += 2 + length


def _luminance(tables: bytes) -> list[int] | None:
    """Return table 0 of a segment."""
    position = 0
    while position < len(tables):
        wide, number = tables[position] >> 4, tables[position] & 0x0F
        values = tables[position + 1 : position + 1 + 64 * (1 + bool(wide))]
        if number == 0 and len(values) == 64 * (1 + bool(wide)):
            step = 1 + bool(wide)
            return [int.from_bytes(values[place : place + step], "big") for place in range(0, len(values), step)]
        position += 1 + 64 * (1 + bool(wide))
    return None
