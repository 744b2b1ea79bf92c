"""Draws the originals of the old library: identical bytes on every computer, using only the standard library.

The old library has the BLAKE3 digest, size and mtime of each file, so the bytes must never change. No image library
writes them, because each version of zlib or libjpeg may compress differently.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Colour = tuple[int, int, int]
Paint = Callable[[int, int], Colour]
"""Gives the colour of the pixel at (x, y)."""
Entry = tuple[int, int, bytes]
"""A TIFF tag, its type, and the bytes of its value, little-endian."""

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
_TYPE_BYTES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, SRATIONAL: 8}
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_STORED_BLOCK_MAX = 65535

MTIME_NS = 1_627_466_400_123_456_789
"""When every original was last changed: 2021-07-28 10:00 UTC and a part of a second."""
MISSING = b"2022/gone.png"
"""A file that was scanned and then removed."""


@dataclass(frozen=True)
class Shot:
    """The EXIF of a picture: local time in EXIF's format, and degrees north and east."""

    taken: str
    position: tuple[float, float] | None = None


def draw(folder: Path) -> None:
    """Write every original into `folder`, with its mtime."""
    for name, content in originals().items():
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))


def originals() -> dict[bytes, bytes]:
    """Return the bytes of every original, by path."""
    nice = Shot("2021:07:28 12:00:00", (43.7, 7.27))
    circles = png(96, 96, _discs((244, 244, 240), (214, 30, 36), [(32, 34), (64, 40), (46, 66)], 13), nice)
    sky = png(
        96, 96, _discs((130, 185, 235), (248, 220, 40), [(48, 48)], 20), Shot("2021:07:28 12:30:00", (43.7, 7.27))
    )
    third, fourth = Shot("2021:08:01 09:00:00"), Shot("2021:08:01 09:10:00")
    return {
        b"2021/Nice/IMG_0001.png": circles,
        b"2021/Nice/IMG_0001 copy.png": circles,
        b"2021/Nice/IMG_0002.png": sky,
        b"2021/Nice/IMG_0002.png.xmp": _XMP,
        b"2021/raw/IMG_0003.dng": dng(64, 48, _waves(3), third),
        b"2021/raw/IMG_0003.png": png(64, 48, _waves(3), third),
        b"2021/raw/IMG_0004.dng": dng(64, 48, _waves(11), fourth),
        b"2021/raw/IMG_0004.png": png(64, 48, _waves(11), fourth),
        b"2022/hills.png": png(240, 160, _hills(1), Shot("2022:03:05 17:20:00")),
        b"2022/hills small.png": png(160, 107, _hills(1.5)),
        b"2022/caf\xe9.png": png(
            64, 64, _discs((22, 22, 26), (30, 160, 60), [(32, 32)], 12), Shot("2022:05:01 08:00:00")
        ),
        MISSING: png(
            64, 64, _discs((222, 198, 150), (130, 45, 165), [(20, 32), (44, 32)], 9), Shot("2022:06:01 08:00:00")
        ),
        b"2022/broken.png": circles[:600],
        b"2022/empty.jpg": b"",
        b"2022/words.png": b"This is no picture.\n",
        b"2022/notes.txt": b"Neither is this, and it does not pretend to be one.\n",
    }


_XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmp:Rating="4"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">The sun over the sea</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>C\xc3\xb4te d'Azur</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
"""


def png(width: int, height: int, paint: Paint, shot: Shot | None = None) -> bytes:
    """Return an RGB picture as an uncompressed PNG with EXIF."""
    rows = b"".join(b"\0" + bytes(part for x in range(width) for part in paint(x, y)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    exif = b"" if shot is None else _chunk(b"eXIf", _tiff(_camera(), shot))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + exif + _chunk(b"IDAT", _stored(rows)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _stored(data: bytes) -> bytes:
    """Return `data` as a zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4)."""
    parts = [b"\x78\x01"]
    for start in range(0, len(data), _STORED_BLOCK_MAX):
        block = data[start : start + _STORED_BLOCK_MAX]
        is_last = start + len(block) == len(data)
        parts.append(struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block)
    return b"".join(parts) + struct.pack(">I", zlib.adler32(data))


def dng(width: int, height: int, paint: Paint, shot: Shot) -> bytes:
    """Return a DNG 1.4 with an uncompressed 16-bit RGGB mosaic and no preview."""
    mosaic = struct.pack(
        f"<{width * height}H",
        *(257 * paint(x, y)[(x % 2) + (y % 2)] for y in range(height) for x in range(width)),
    )
    # XYZ to linear sRGB (IEC 61966-2-1).
    matrix = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
    return _tiff(
        [
            *_camera(),
            (0x0100, LONG, _longs(width)),
            (0x0101, LONG, _longs(height)),
            (0x0102, SHORT, _shorts(16)),
            (0x0103, SHORT, _shorts(1)),
            (0x0106, SHORT, _shorts(32803)),
            (0x0112, SHORT, _shorts(1)),
            (0x0115, SHORT, _shorts(1)),
            (0x0116, LONG, _longs(height)),
            (0x011C, SHORT, _shorts(1)),
            (0x828D, SHORT, _shorts(2, 2)),
            (0x828E, BYTE, b"\0\1\1\2"),
            (0xC612, BYTE, b"\1\4\0\0"),
            (0xC614, ASCII, b"Old Camera\0"),
            (0xC61D, SHORT, _shorts(65535)),
            (0xC621, SRATIONAL, struct.pack("<18i", *(part for each in matrix for part in (each, 10000)))),
            (0xC628, RATIONAL, _longs(1, 1, 1, 1, 1, 1)),
            (0xC65A, SHORT, _shorts(21)),
        ],
        shot,
        mosaic,
    )


def _tiff(image: Sequence[Entry], shot: Shot, strip: bytes = b"") -> bytes:
    """Return a TIFF structure: the directories of the image, EXIF and GPS, and one strip of pixels."""
    exif: list[Entry] = [(0x9003, ASCII, shot.taken.encode() + b"\0")]
    gps = [] if shot.position is None else _gps(*shot.position)
    image = [*image, *([(0x0117, LONG, _longs(len(strip)))] if strip else [])]
    pointers = [_EXIF_POINTER, *([_GPS_POINTER] if gps else []), *([0x0111] if strip else [])]
    sizes = [_directory_bytes([*image, *((tag, LONG, _longs(0)) for tag in pointers)]), _directory_bytes(exif)]
    targets = [
        8 + sizes[0],
        *([8 + sum(sizes)] if gps else []),
        *([8 + sum(sizes) + _directory_bytes(gps)] if strip else []),
    ]
    image += [(tag, LONG, _longs(target)) for tag, target in zip(pointers, targets, strict=True)]
    parts = [_directory(image, 8), _directory(exif, 8 + sizes[0])]
    return b"II*\0" + _longs(8) + b"".join([*parts, _directory(gps, 8 + sum(sizes)) if gps else b"", strip])


def _directory(entries: Iterable[Entry], start: int) -> bytes:
    ordered = sorted(entries)
    table, values = b"", b""
    for tag, kind, data in ordered:
        table += struct.pack("<HHI", tag, kind, len(data) // _TYPE_BYTES[kind])
        if len(data) > 4:
            table += _longs(start + 6 + 12 * len(ordered) + len(values))
            values += data + bytes(len(data) % 2)
        else:
            table += data.ljust(4, b"\0")
    return struct.pack("<H", len(ordered)) + table + _longs(0) + values


def _directory_bytes(entries: Sequence[Entry]) -> int:
    return len(_directory(entries, 0)) if entries else 0


def _camera() -> list[Entry]:
    return [(0x010F, ASCII, b"Photoindex\0"), (0x0110, ASCII, b"Old Camera\0")]


def _gps(north: float, east: float) -> list[Entry]:
    def degrees(value: float) -> bytes:
        return _longs(round(value * 10_000), 10_000, 0, 1, 0, 1)

    return [(1, ASCII, b"N\0"), (2, RATIONAL, degrees(north)), (3, ASCII, b"E\0"), (4, RATIONAL, degrees(east))]


def _longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _shorts(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def _discs(ground: Colour, colour: Colour, centres: Sequence[tuple[int, int]], radius: int) -> Paint:
    def paint(x: int, y: int) -> Colour:
        return colour if any((x - a) ** 2 + (y - b) ** 2 <= radius**2 for a, b in centres) else ground

    return paint


def _waves(period: int) -> Paint:
    """Diagonal stripes in integer arithmetic: sines may differ in the last bit between computers."""

    def paint(x: int, y: int) -> Colour:
        step = (x + 2 * y) * 3 // period % 16
        return 30 + 12 * step, 90, 220 - 10 * step

    return paint


def _hills(scale: float) -> Paint:
    """Blocks under a sky; `scale` is how many pixels of the full picture correspond to one of this one."""

    def paint(x: int, y: int) -> Colour:
        left, top = int(x * scale), int(y * scale)
        column = left // 12
        ridge = 40 + (column * column * 7 + column * 13) % 70
        if top < ridge:
            return 120 + top // 2, 170 + top // 4, 235
        shade = ((left // 6) * 31 + (top // 6) * 17 + (left // 6) * (top // 6) * 7) % 90
        return 40 + shade, 80 + shade, 30 + shade // 2

    return paint
