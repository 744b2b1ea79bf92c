"""Canon CIFF: the record heap in CRW files and some JPEGs of the first digital EOS and PowerShot cameras."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.encodings import with_stray_bytes
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.standards.maker_lenses import canon_range

# CIFF specification 1.0 revision 4: the top two bits of a record's type are its storage, the next three its data type.
_STORAGE_BITS, _IN_DIRECTORY = 0xC000, 0x4000
_KIND_BITS, _HEAP_KINDS = 0x3800, (0x2800, 0x3000)
_MAKE_AND_MODEL, _CAPTURE_TIME, _IMAGE_SIZE, _OWNER, _SETTINGS = 0x080A, 0x180E, 0x1810, 0x0810, 0x102D
_MAKE_BYTES = 6
_RECORD_LIMIT = 1000
_DEPTH_LIMIT = 6
_VALUE_BYTES = 1024


def read_ciff(stream: BinaryIO, blocks: Blocks) -> None:
    """Fill `blocks` with camera make and model, owner, lens, capture time and size."""
    order = "<" if stream.read(2) == b"II" else ">"
    (start,) = struct.unpack(order + "I", stream.read(4))
    for number, value in _records(stream, order, start, stream.seek(0, 2), 0):
        if number == _MAKE_AND_MODEL:
            # The first six bytes are "Canon" with its NUL.
            make, model = value[:_MAKE_BYTES], value[_MAKE_BYTES:].partition(b"\0")[0]
            blocks.tags["make"], blocks.tags["model"] = clean_text(make), clean_text(model)
        elif number == _OWNER:
            blocks.tags["artist"] = clean_text(with_stray_bytes(value.partition(b"\0")[0]))
        elif number == _CAPTURE_TIME and len(value) >= 4:
            # Seconds since 1970 in the camera's local time, not UTC.
            (seconds,) = struct.unpack_from(order + "I", value)
            wall = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
            blocks.tags["datetimeoriginal"] = wall.strftime("%Y:%m:%d %H:%M:%S")
        elif number == _SETTINGS:
            settings = struct.unpack_from(f"{order}{len(value) // 2}H", value)
            blocks.tags["lens"] = canon_range(settings) or ""
        elif number == _IMAGE_SIZE and len(value) >= 8:
            blocks.set_size(*struct.unpack_from(order + "II", value))


def _records(stream: BinaryIO, order: str, start: int, end: int, depth: int) -> Iterator[tuple[int, bytes]]:
    """Yield type (without storage bits) and first bytes of each record in the heap [start, end), nested heaps included."""
    stream.seek(end - 4)
    (directory,) = struct.unpack(order + "I", stream.read(4))
    stream.seek(start + directory)
    (count,) = struct.unpack(order + "H", stream.read(2))
    entries = stream.read(10 * min(count, _RECORD_LIMIT))
    for position in range(0, len(entries) - 9, 10):
        kind, length, offset = struct.unpack_from(order + "HII", entries, position)
        number = kind & ~_STORAGE_BITS
        if kind & _STORAGE_BITS == _IN_DIRECTORY:
            yield number, entries[position + 2 : position + 10]
        elif number & _KIND_BITS in _HEAP_KINDS:
            inner_end = start + offset + length
            if depth < _DEPTH_LIMIT and start <= start + offset < inner_end <= end and length < end - start:
                yield from _records(stream, order, start + offset, inner_end, depth + 1)
        else:
            stream.seek(start + offset)
            yield number, stream.read(min(length, _VALUE_BYTES))
