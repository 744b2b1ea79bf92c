"""Telling plain TIFF pictures from the RAW formats that are built on TIFF, by the directories inside."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from photoindex.media.reach import Reach
from photoindex.types import Kind, MediaType

TIFF = MediaType(Kind.IMAGE, "tiff")

# Tags of TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7 and makers.
_COMPRESSION, _PHOTOMETRIC, _MAKE, _MODEL, _SUB_IFDS = 0x0103, 0x0106, 0x010F, 0x0110, 0x014A
_JPEG_OFFSET, _CFA_PATTERN, _LEAF_DATA, _DNG_VERSION, _DNG_PRIVATE = 0x0201, 0x828E, 0x8606, 0xC612, 0xC634
_WANTED = {
    _COMPRESSION, _PHOTOMETRIC, _MAKE, _MODEL, _SUB_IFDS, _JPEG_OFFSET, _CFA_PATTERN, _LEAF_DATA, _DNG_VERSION, _DNG_PRIVATE,
}  # fmt: skip

_RAW_PHOTOMETRIC = {32803, 34892}  # colour filter array, linear raw
_RAW_COMPRESSION = {
    262,  # Kodak
    32767,  # Sony ARW
    32769,  # packed RAW
    32770,  # Samsung
    34713,  # Nikon
    65000,  # Kodak DCR
    65535,  # Pentax
}
_OLD_JPEG = 6
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MAX_ENTRIES = 512
_MAX_DIRECTORIES = 24

_MAKERS: tuple[tuple[bytes, str], ...] = (
    (b"CANON", "cr2"),
    (b"NIKON", "nef"),
    (b"SONY", "arw"),
    (b"PENTAX", "pef"),
    (b"ASAHI", "pef"),
    (b"RICOH", "pef"),
    (b"SAMSUNG", "srw"),
    (b"HASSELBLAD", "3fr"),
    (b"IMACON", "fff"),
    (b"SEIKO EPSON", "erf"),
    (b"MAMIYA", "mef"),
    (b"LEAF", "mos"),
    (b"PHASE ONE", "iiq"),
    (b"KODAK", "dcr"),
    (b"EASTMAN KODAK", "dcr"),
    (b"OLYMPUS", "orf"),
    (b"PANASONIC", "rw2"),
    (b"LEICA", "rwl"),
)


@dataclass(slots=True)
class _Found:
    """What the directories of one file hold."""

    photometric: set[int] = field(default_factory=set)
    compression: set[int] = field(default_factory=set)
    tags: set[int] = field(default_factory=set)
    make: bytes = b""
    model: bytes = b""


class _Layout:
    """How numbers are written: byte order, and the wider fields of BigTIFF."""

    def __init__(self, head: bytes) -> None:
        self.order = "<" if head[:2] == b"II" else ">"
        self.big = head[2:4] in (b"+\0", b"\0+")
        self.offset_format = self.order + ("Q" if self.big else "I")
        self.count_format = self.order + ("Q" if self.big else "H")
        self.entry_format = self.order + ("HHQ8s" if self.big else "HHI4s")

    def number(self, number_format: str, data: bytes) -> int | None:
        size = struct.calcsize(number_format)
        if len(data) < size:
            return None
        value: int = struct.unpack(number_format, data[:size])[0]
        return value

    def numbers(self, type_code: int, data: bytes) -> tuple[int, ...]:
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(type_code)
        if code is None:
            return ()
        count = len(data) // struct.calcsize(self.order + code)
        return struct.unpack(f"{self.order}{count}{code}", data[: count * struct.calcsize(self.order + code)])


def sniff_tiff(reach: Reach) -> MediaType:
    """Return the type of a content with a TIFF header: a RAW format where its directories say so, else TIFF.

    Raises OSError where a directory behind the head cannot be read.
    """
    head = reach.head
    if head[8:10] == b"CR" and head[2:4] == b"*\0":
        return MediaType(Kind.RAW, "cr2")
    if head[8:12] in (b"IIII", b"MMMM"):
        return MediaType(Kind.RAW, "iiq")
    found = _survey(reach, _Layout(head))
    if _DNG_VERSION in found.tags:
        return MediaType(Kind.RAW, "dng")
    if not _is_raw(found):
        return TIFF
    return MediaType(Kind.RAW, _format(found))


def _is_raw(found: _Found) -> bool:
    if found.photometric & _RAW_PHOTOMETRIC or found.compression & _RAW_COMPRESSION:
        return True
    if _CFA_PATTERN in found.tags or _LEAF_DATA in found.tags:
        return True
    # Cameras that hide the sensor's data in private directories: the visible ones hold only small JPEGs.
    camera = found.make.startswith((b"SONY", b"CANON", b"NIKON", b"KODAK", b"EASTMAN KODAK"))
    return camera and (_DNG_PRIVATE in found.tags or (_OLD_JPEG in found.compression and _JPEG_OFFSET in found.tags))


def _format(found: _Found) -> str:
    if found.make.startswith(b"NIKON") and found.model.startswith(b"COOLPIX"):
        return "nrw"
    if found.model.startswith((b"DSC-F828", b"DSC-V3")):
        return "srf"
    if found.model.startswith(b"DSC-R1"):
        return "sr2"
    name = next((name for maker, name in _MAKERS if found.make.startswith(maker)), "raw")
    if name == "dcr" and b"DCS" not in found.model:
        return "kdc"
    return name


def _survey(reach: Reach, layout: _Layout) -> _Found:
    found = _Found()
    first = layout.number(layout.offset_format, reach.read(8 if layout.big else 4, 8))
    waiting = [first] if first else []
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        offset = waiting.pop()
        if offset in seen:
            continue
        seen.add(offset)
        waiting.extend(_read_directory(reach, layout, offset, found))
    return found


def _read_directory(reach: Reach, layout: _Layout, offset: int, found: _Found) -> list[int]:
    """Note what the directory at `offset` holds and return the offsets of those it leads to."""
    count_size = struct.calcsize(layout.count_format)
    entry_size = struct.calcsize(layout.entry_format)
    count = layout.number(layout.count_format, reach.read(offset, count_size))
    if not count or count > _MAX_ENTRIES:
        return []
    table = reach.read(offset + count_size, count * entry_size)
    onward: list[int] = []
    for tag, type_code, data in _entries(reach, layout, table):
        found.tags.add(tag)
        if tag == _MAKE and not found.make:
            found.make = data.split(b"\0")[0].strip().upper()
        elif tag == _MODEL and not found.model:
            found.model = data.split(b"\0")[0].strip().upper()
        elif tag == _SUB_IFDS:
            onward.extend(layout.numbers(type_code, data)[:16])
        elif tag == _PHOTOMETRIC:
            found.photometric.update(layout.numbers(type_code, data)[:1])
        elif tag == _COMPRESSION:
            found.compression.update(layout.numbers(type_code, data)[:1])
    following = layout.number(layout.offset_format, reach.read(offset + count_size + count * entry_size, 8))
    return [following, *onward] if following else onward


def _entries(reach: Reach, layout: _Layout, table: bytes) -> Iterator[tuple[int, int, bytes]]:
    entry_size = struct.calcsize(layout.entry_format)
    for start in range(0, len(table) - entry_size + 1, entry_size):
        tag, type_code, count, inline = struct.unpack_from(layout.entry_format, table, start)
        if tag not in _WANTED:
            continue
        size = min(count, 256) * _TYPE_SIZES.get(type_code, 1)
        if count * _TYPE_SIZES.get(type_code, 1) <= len(inline):
            yield tag, type_code, inline[:size]
        else:
            offset = layout.number(layout.offset_format, inline)
            yield tag, type_code, reach.read(offset or 0, size)
