"""Reading selected tags of TIFF directories with exifread, within limits."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, BinaryIO, Literal

from exifread.core.exif_header import ExifHeader

from photoindex.media.metadata.findings import clean_text

TagNames = Mapping[int, tuple[str, None]]
"""Tag number -> (name, None), as in exifread's own tables; None: do not translate the value."""

_BYTE, _ASCII, _UNDEFINED, _UTF8 = 1, 2, 7, 129
TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)  # TIFF 6.0 section 2, by type number
_BLOCKS = frozenset({0x02BC, 0x83BB, 0x8649, 0x927C, 0x9286})
"""XMP, IPTC, Photoshop, MakerNote, UserComment: read as bytes whatever their declared type (IPTC is often LONG)."""

_TEXT_BYTES = 64 << 10
_VALUES = 64
_INLINE_BYTES = 4


class TiffDirectories(ExifHeader):
    """Reads chosen tags of chosen directories.

    exifread on its own decodes every value of every tag, a MakerNote byte by byte (tens of milliseconds), follows the
    pointers of damaged directories, and skips values of 1000 elements and more. Here unselected tags are skipped, repeated
    tags are read once, and for blocks of bytes only the offset is kept until they are requested.
    """

    def __init__(self, stream: BinaryIO, start: int = 0) -> None:
        stream.seek(start)
        order = stream.read(2)
        if order not in (b"II", b"MM"):
            raise ValueError("no TIFF header")
        # exifread would log warnings to stderr; damage becomes a note on the file instead.
        logging.getLogger("exifread").setLevel(logging.CRITICAL)
        super().__init__(stream, chr(order[0]), start, 0, strict=False)
        self._byte_order: Literal["little", "big"] = "little" if order == b"II" else "big"
        self.block_ranges: dict[str, tuple[int, int]] = {}
        """Tag key -> offset from the start of the structure and length in bytes, for values that are blocks of bytes."""

    def read_directory(self, offset: int, prefix: str, names: TagNames) -> None:
        """Read the tags `names` of the directory at `offset`; their keys are then `<prefix> <name>`."""
        self.dump_ifd(offset, prefix, names)

    def first_directory(self) -> int:
        """Return the offset of the first directory, from the header."""
        return int(self.s2n(4, 4))

    def s2n(self, offset: int, length: int, signed: bool = False) -> int:  # noqa: FBT001, FBT002
        """Return the number in `length` bytes at `offset`, 0 if the file ends before; exifread's own makes a format for each.

        Directories of a photo have some hundred numbers.
        """
        self.file_handle.seek(self.offset + offset)
        data = self.file_handle.read(length)
        return int.from_bytes(data, self._byte_order, signed=signed) if len(data) == length else 0

    def integers(self, key: str) -> list[int]:
        """Return the integers in a value, [] if it is missing or has none."""
        return [value for value in self._values(key) if isinstance(value, int)]

    def numbers(self, key: str) -> list[float | None]:
        """Return a value as numbers; None stands for a fraction over zero, which means unknown in EXIF."""
        return [_number(value) for value in self._values(key)]

    def number(self, key: str) -> float | None:
        """Return the first number of a value, None if it is missing or unknown."""
        values = self._values(key)
        return _number(values[0]) if values else None

    def over_zero(self, key: str) -> str:
        """Return a value as text (`0/0, 0/0`) if it consists of fractions over zero only, else ""."""
        values = self._values(key)
        fractions = [value for value in values if isinstance(value, Fraction) and not value.denominator]
        return ", ".join(f"{each.numerator}/0" for each in fractions) if len(fractions) == len(values) else ""

    def text(self, key: str) -> str:
        """Return a value as text, "" if it is missing."""
        return clean_text(self.characters(key).partition(b"\0")[0])

    def characters(self, key: str) -> bytes:
        """Return the bytes of a text, with NULs only where its value is longer than four bytes; b"" if it is missing."""
        tag = self.tags.get(key)
        if key in self.block_ranges or tag is None or not isinstance(tag.values, list):
            return self.block(key, _TEXT_BYTES)
        # Stored as BYTE or UNDEFINED; numbers beyond a byte are no text.
        return bytes(value for value in tag.values if isinstance(value, int) and 0 < value < 256)

    def block(self, key: str, limit_bytes: int) -> bytes:
        """Return at most `limit_bytes` of a value's raw bytes, b"" if it is missing."""
        if key not in self.block_ranges:
            tag = self.tags.get(key)
            values = tag.values if tag is not None else b""
            if isinstance(values, bytes):
                return values[:limit_bytes]
            return bytes(value & 0xFF for value in values if isinstance(value, int))[:limit_bytes]
        offset, length = self.block_ranges[key]
        self.file_handle.seek(self.offset + offset)
        return bytes(self.file_handle.read(min(length, limit_bytes)))

    def _values(self, key: str) -> list[object]:
        tag = self.tags.get(key)
        if tag is None:
            return []
        return tag.values if isinstance(tag.values, list) else [tag.values]

    def _process_tag(self, ifd: int, ifd_name: str, tag_entry: Any, entry: int, tag: int, *rest: Any) -> None:
        """Decode one entry: exifread's own method, preceded by the tag selection and limits."""
        if tag_entry is None:
            return
        key = f"{ifd_name} {tag_entry[0]}"
        if key in self.tags or key in self.block_ranges:
            return
        kind, count = self.s2n(entry + 2, 2), self.s2n(entry + 4, 4)
        if not (0 < kind < len(TYPE_BYTES) or kind == _UTF8) or count == 0:
            return
        length = count if kind == _UTF8 else count * TYPE_BYTES[kind]
        if kind == _UTF8:  # EXIF 3.0, unknown to exifread
            self.block_ranges[key] = (self.s2n(entry + 8, 4) if length > _INLINE_BYTES else entry + 8, length)
            return
        is_block = kind in (_BYTE, _UNDEFINED) or tag in _BLOCKS or count > (_TEXT_BYTES if kind == _ASCII else _VALUES)
        if is_block and length > _INLINE_BYTES:
            self.block_ranges[key] = (self.s2n(entry + 8, 4), length)
            return
        super()._process_tag(ifd, ifd_name, tag_entry, entry, tag, *rest)

    def _process_ascii_field(self, _ifd_name: str, _tag_name: str, count: int, offset: int) -> bytes:
        """Return the bytes of a text; exifread decodes some of them and ends at the first NUL."""
        self.file_handle.seek(self.offset + offset)
        return bytes(self.file_handle.read(count))


def _number(value: object) -> float | None:
    if isinstance(value, tuple):  # exifread leaves struct's tuple around a FLOAT or DOUBLE
        value = value[0] if value else None
    if isinstance(value, Fraction):
        # exifread keeps n/0 as a Fraction that cannot be divided.
        return value.numerator / value.denominator if value.denominator else None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, bytes):
        try:
            return float(value.partition(b"\0")[0])
        except ValueError:
            return None
    return None
