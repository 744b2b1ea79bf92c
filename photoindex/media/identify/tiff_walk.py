"""Walking the directories of TIFF and TIFF-based RAW files without trusting any number in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from photoindex.media.identify.ranged_reader import RangedReader

_SUB_DIRECTORIES = 0x014A
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBER_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MAX_ENTRIES = 512
_MAX_DIRECTORIES = 24
_MAX_SUB_DIRECTORIES = 16
_MAX_VALUES = 65536


@dataclass(frozen=True, slots=True)
class TiffEntry:
    """One directory entry; `data` holds its values in the file's byte order (`order` is "<" or ">")."""

    type_code: int
    order: str
    data: bytes

    def numbers(self) -> tuple[int, ...]:
        """Return the values if the type is an unsigned integer, else ()."""
        code = _NUMBER_CODES.get(self.type_code)
        if code is None:
            return ()
        count = len(self.data) // struct.calcsize(self.order + code)
        return struct.unpack_from(f"{self.order}{count}{code}", self.data)

    def text(self) -> bytes:
        """Return the value up to its first NUL, stripped."""
        return self.data.split(b"\0")[0].strip()


class _Layout:
    """Byte order and field widths of a file (BigTIFF has wider fields)."""

    def __init__(self, head: bytes) -> None:
        self.order = "<" if head[:2] == b"II" else ">"
        big = head[2:4] in (b"+\0", b"\0+")
        self.first = 8 if big else 4
        self.offset = struct.Struct(self.order + ("Q" if big else "I"))
        self.count = struct.Struct(self.order + ("Q" if big else "H"))
        self.entry = struct.Struct(self.order + ("HHQ8s" if big else "HHI4s"))


def walk(reader: RangedReader, wanted: frozenset[int]) -> Iterator[dict[int, TiffEntry]]:
    """Yield the `wanted` entries of every directory, following the chain and TIFF/EP sub-directories.

    Invalid offsets, loops and oversized directories end the walk early. Raises OSError.
    """
    layout = _Layout(reader.head)
    waiting = [_number(layout.offset, reader.read(layout.first, layout.offset.size))]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        offset = waiting.pop()
        if not offset or offset in seen:
            continue
        seen.add(offset)
        count = _number(layout.count, reader.read(offset, layout.count.size))
        if not 0 < count <= _MAX_ENTRIES:
            continue
        start = offset + layout.count.size
        table = reader.read(start, count * layout.entry.size)
        entries = dict(_entries(reader, layout, table, wanted | {_SUB_DIRECTORIES}))
        yield {tag: entry for tag, entry in entries.items() if tag in wanted}
        end = start + count * layout.entry.size
        waiting.append(_number(layout.offset, reader.read(end, layout.offset.size)))
        if _SUB_DIRECTORIES in entries:
            waiting.extend(entries[_SUB_DIRECTORIES].numbers()[:_MAX_SUB_DIRECTORIES])


def _number(layout: struct.Struct, data: bytes) -> int:
    if len(data) < layout.size:
        return 0
    value: int = layout.unpack(data)[0]
    return value


def _entries(
    reader: RangedReader, layout: _Layout, table: bytes, wanted: frozenset[int]
) -> Iterator[tuple[int, TiffEntry]]:
    for start in range(0, len(table) - layout.entry.size + 1, layout.entry.size):
        tag, type_code, count, inline = layout.entry.unpack_from(table, start)
        if tag not in wanted:
            continue
        size = min(count, _MAX_VALUES) * _TYPE_BYTES.get(type_code, 1)
        data = inline[:size] if size <= len(inline) else reader.read(_number(layout.offset, inline), size)
        yield tag, TiffEntry(type_code, layout.order, data)
