"""The directories of a maker note, which most makers arrange like those of TIFF (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from photoindex.media.metadata.containers.tiff_directory import TYPE_BYTES
from photoindex.media.metadata.findings import clean_text

_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_FRACTIONS = {5: "2I", 10: "2i"}
_ENTRY_LIMIT = 500
_LARGEST_COUNT = 255
_VALUE_LIMIT = 256
_ENTRY_BYTES = 12
_INLINE_BYTES = 4


@dataclass(frozen=True, slots=True)
class MakerNote:
    """The bytes of a maker note.

    offset: of its first byte from the start of the TIFF structure around it. order: that structure's byte order for `struct`.
    make: the camera's make, "" if it is not known.
    """

    data: bytes
    offset: int = 0
    order: str = ">"
    make: str = ""


@dataclass(slots=True)
class MakerDirectory:
    """The directory at byte `start` of a note; values that lie outside the note are left out.

    order: byte order for `struct`. base: the byte of `data` from which offsets count; negative if it is before the note.
    """

    data: bytes
    start: int
    order: str
    base: int
    _values: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.start <= len(self.data) - 2:
            return
        (count,) = struct.unpack_from(self.order + "H", self.data, self.start)
        if count > _LARGEST_COUNT and count & _LARGEST_COUNT == 0:
            # A program has written the EXIF block around the note in the other byte order.
            self.order = "<" if self.order == ">" else ">"
            count >>= 8
        end = self.start + 2 + _ENTRY_BYTES * min(count, _ENTRY_LIMIT)
        entries = []
        for at in range(self.start + 2, min(end, len(self.data) - _ENTRY_BYTES + 1), _ENTRY_BYTES):
            tag, kind, length = struct.unpack_from(self.order + "HHI", self.data, at)
            size = length * TYPE_BYTES[kind] if kind < len(TYPE_BYTES) else 0
            entries.append((tag, kind, at + 8, size))
        if self.base < 0:
            self._find_moved_values(
                end, [(self._pointer(at), size) for *_, at, size in entries if size > _INLINE_BYTES]
            )
        for tag, kind, at, size in entries:
            position = at if size <= _INLINE_BYTES else self.base + self._pointer(at)
            if size and 0 <= position <= len(self.data) - size:
                self._values[tag] = kind, position, size

    def _find_moved_values(self, end: int, outside: list[tuple[int, int]]) -> None:
        """Correct `base` where a program has moved the note and left its offsets as they were.

        Values follow the directory and four more bytes. Offsets that reach into the directory or beyond the note, but would fit if
        they began there, are such offsets.
        """
        if not outside:
            return
        first = self.base + min(pointer for pointer, _ in outside)
        last = self.base + max(pointer + size for pointer, size in outside)
        shift = first - (end + _INLINE_BYTES)
        if (last > len(self.data) or first < end - 2) and last - shift <= len(self.data):
            self.base -= shift

    def _pointer(self, at: int) -> int:
        return int(struct.unpack_from(self.order + "I", self.data, at)[0])

    def block(self, tag: int) -> bytes:
        """Return the bytes of a value, b"" if it is missing."""
        _, position, size = self._values.get(tag, (0, 0, 0))
        return self.data[position : position + size]

    def text(self, tag: int) -> str:
        """Return a value up to its first NUL as text, "" if it is missing."""
        return clean_text(self.block(tag).partition(b"\0")[0])

    def numbers(self, tag: int) -> list[float | None]:
        """Return at most 256 numbers, None for a fraction over zero; [] if the value is missing or text."""
        kind, block = self._values.get(tag, (0, 0, 0))[0], self.block(tag)[: _VALUE_LIMIT * 8]
        if kind in _FRACTIONS:
            pairs = struct.iter_unpack(self.order + _FRACTIONS[kind], block[: len(block) // 8 * 8])
            return [above / below if below else None for above, below in pairs]
        if kind not in _FORMATS:
            return []
        size = TYPE_BYTES[kind]
        whole = block[: min(len(block) // size, _VALUE_LIMIT) * size]
        return [number for (number,) in struct.iter_unpack(self.order + _FORMATS[kind], whole)]

    def number(self, tag: int) -> float | None:
        """Return the first number of a value, None if it is missing or unknown."""
        return next(iter(self.numbers(tag)), None)

    def below(self, tag: int) -> MakerDirectory:
        """Return the directory below this one, which `tag` points to or, in older cameras, holds; empty if it is missing."""
        _, position, size = self._values.get(tag, (0, len(self.data), 0))
        start = self.base + self._pointer(position) if size == _INLINE_BYTES else position
        return MakerDirectory(self.data, start, self.order, self.base)
