"""Rewriting the first directory of a BigTIFF as that of a classic TIFF, which more libraries read."""

from __future__ import annotations

import struct
from typing import BinaryIO

from photoindex.media.problems import Undecodable

BIG_ENDIAN = b"MM\0+"
HEADERS = (b"II+\0", BIG_ENDIAN)
CLASSIC_HEADER_BYTES = 8
_SUB_DIRECTORIES = {0x8769, 0x8825, 0xA005}
"""EXIF, GPS and interoperability (EXIF 2.32); others hold smaller pictures."""
_LEFT_OUT = frozenset({0x014A})
_PIXELS = frozenset({0x0111, 0x0117, 0x0144, 0x0145})
"""Offsets and byte counts of strips and tiles (TIFF 6.0)."""
_TYPES = {
    1: (1, 1), 2: (2, 1), 3: (3, 2), 4: (4, 4), 5: (5, 8), 6: (6, 1), 7: (7, 1), 8: (8, 2), 9: (9, 4), 10: (10, 8), 11: (11, 4),
    12: (12, 8), 13: (13, 4), 16: (4, 8), 17: (9, 8), 18: (13, 8),
}  # fmt: skip
"""Type in a BigTIFF -> type in a classic TIFF, and bytes of a value in the BigTIFF."""
_MAX_ENTRIES = 512
_MAX_VALUE_BYTES = 64 << 20
_MAX_OFFSET = (1 << 32) - 1


def classic_header(stream: BinaryIO, directory_offset: int) -> bytes:
    """Return the first 8 bytes of a TIFF 6.0 of the same byte order with its first directory at that offset."""
    stream.seek(0)
    is_big = stream.read(2) == BIG_ENDIAN[:2]
    return struct.pack(">2sHI" if is_big else "<2sHI", b"MM" if is_big else b"II", 42, directory_offset)


def classic_directory(stream: BinaryIO, base: int, *, with_pixels: bool) -> bytes:
    """Return the first directory of a BigTIFF, and what it refers to, as a classic one that begins at byte `base`.

    Offsets of pixels stay as they are, or are left out. Raises Undecodable for damage, and where an offset is beyond 4 GiB.
    """
    stream.seek(0)
    head = stream.read(16)
    order = ">" if head.startswith(BIG_ENDIAN) else "<"
    return _directory(stream, order, _number(order, head[8:]), base, _LEFT_OUT if with_pixels else _LEFT_OUT | _PIXELS)


def _number(order: str, data: bytes) -> int:
    return int.from_bytes(data, "big" if order == ">" else "little")


def _directory(
    stream: BinaryIO, order: str, offset: int, base: int, left_out: frozenset[int], *, is_first: bool = True
) -> bytes:
    stream.seek(offset)
    count = _number(order, stream.read(8))
    table = stream.read(min(count, _MAX_ENTRIES) * 20)
    if not 0 < count <= _MAX_ENTRIES or len(table) < count * 20:
        raise Undecodable("a directory of the BigTIFF is damaged or beyond the end of the file")
    entries = []
    left = _MAX_VALUE_BYTES
    for start in range(0, len(table), 20):
        tag, kind, number, inline = struct.unpack_from(order + "HHQ8s", table, start)
        classic, size = _TYPES.get(kind, (0, 1))
        if not classic or tag in left_out or number * size > left:
            continue
        left -= number * size
        data = inline[: number * size]
        if number * size > len(inline):
            stream.seek(_number(order, inline))
            data = stream.read(number * size)
        entries.append((tag, classic, number, _narrow(order, data, kind)))
    values = base + 2 + 12 * len(entries) + 4
    head, tail = struct.pack(order + "H", len(entries)), bytearray()
    for tag, kind, number, data in entries:
        if tag in _SUB_DIRECTORIES and is_first:
            target = _directory(stream, order, _number(order, data), values + len(tail), left_out, is_first=False)
        elif len(data) > 4:
            target = data + bytes(len(data) & 1)
        else:
            head += struct.pack(order + "HHI4s", tag, kind, number, data)
            continue
        head += struct.pack(order + "HHII", tag, kind, number, values + len(tail))
        tail += target
    return head + bytes(4) + bytes(tail)


def _narrow(order: str, data: bytes, kind: int) -> bytes:
    """Return the values of a directory entry, of 8 bytes each in types 16 to 18, with 4 bytes each."""
    if kind not in (16, 17, 18):
        return data
    numbers = struct.unpack(f"{order}{len(data) // 8}{'q' if kind == 17 else 'Q'}", data[: len(data) // 8 * 8])
    if max(map(abs, numbers), default=0) > _MAX_OFFSET >> (kind == 17):
        raise Undecodable(
            "a big-endian BigTIFF is read up to 4 GiB only; save it as a little-endian one, for example with: vips copy"
        )
    return struct.pack(f"{order}{len(numbers)}{'i' if kind == 17 else 'I'}", *numbers)
