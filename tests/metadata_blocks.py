"""Metadata blocks and containers, valid or invalid, built byte by byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

from photoindex.media.content import Content
from photoindex.media.metadata.description import describe
from photoindex.types import Described, FactValue, Kind, MediaType

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10
Entry = tuple[int, int, int, bytes]
"""Tag, type, count, the bytes of the value."""

MAKE, MODEL, ORIENTATION, DATE_TIME = 0x010F, 0x0110, 0x0112, 0x0132
DATE_TIME_ORIGINAL, DATE_TIME_DIGITIZED = 0x9003, 0x9004
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825


def text(tag: int, value: str | bytes) -> Entry:
    data = (value.encode() if isinstance(value, str) else value) + b"\0"
    return tag, ASCII, len(data), data


def short(tag: int, *values: int, order: str = "<") -> Entry:
    return tag, SHORT, len(values), struct.pack(f"{order}{len(values)}H", *values)


def rational(tag: int, *pairs: tuple[int, int], order: str = "<") -> Entry:
    return tag, RATIONAL, len(pairs), b"".join(struct.pack(order + "II", *pair) for pair in pairs)


def blob(tag: int, data: bytes, kind: int = UNDEFINED) -> Entry:
    return tag, kind, len(data) // {LONG: 4}.get(kind, 1), data


def position(
    latitude: Sequence[tuple[int, int]], north: str, longitude: Sequence[tuple[int, int]], east: str
) -> list[Entry]:
    return [text(1, north), rational(2, *latitude), text(3, east), rational(4, *longitude)]


def tiff(
    image: Iterable[Entry] = (),
    exif: Iterable[Entry] = (),
    gps: Iterable[Entry] = (),
    order: str = "<",
    magic: bytes = b"",
) -> bytes:
    """Return a TIFF structure with up to three directories, as EXIF arranges them."""
    image, exif, gps = list(image), list(exif), list(gps)
    pointers = [tag for tag, entries in ((_EXIF_POINTER, exif), (_GPS_POINTER, gps)) if entries]
    sizes = [_directory_size([*image, *((tag, LONG, 1, b"1234") for tag in pointers)])]
    sizes += [_directory_size(entries) for entries in (exif, gps) if entries]
    offset = 8 + sizes[0]
    for tag, size in zip(pointers, sizes[1:], strict=True):
        image.append((tag, LONG, 1, struct.pack(order + "I", offset)))
        offset += size
    start = 8
    parts = []
    for entries, size in zip([image, *(entries for entries in (exif, gps) if entries)], sizes, strict=True):
        parts.append(_directory(entries, start, order))
        start += size
    header = magic or (b"II*\0" if order == "<" else b"MM\0*")
    return header + struct.pack(order + "I", 8) + b"".join(parts)


def _directory_size(entries: Sequence[Entry]) -> int:
    return 6 + 12 * len(entries) + sum(len(data) + len(data) % 2 for *_, data in entries if len(data) > 4)


def _directory(entries: Sequence[Entry], start: int, order: str) -> bytes:
    table, values = b"", b""
    for tag, kind, count, data in sorted(entries):
        table += struct.pack(order + "HHI", tag, kind, count)
        if len(data) > 4:
            table += struct.pack(order + "I", start + 6 + 12 * len(entries) + len(values))
            values += data + b"\0" * (len(data) % 2)
        else:
            table += data.ljust(4, b"\0")
    return struct.pack(order + "H", len(entries)) + table + b"\0\0\0\0" + values


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def xmp_segment(packet: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def iptc_segment(*datasets: tuple[int, bytes]) -> bytes:
    block = b"".join(bytes([0x1C, 2, number]) + struct.pack(">H", len(value)) + value for number, value in datasets)
    return segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, block))


def resource(number: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + b"\0" * (len(data) % 2)


def jpeg(*segments: bytes, width: int = 40, height: int = 30) -> bytes:
    """Return a JPEG with headers but no pixels: reading facts must not need any."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    return b"\xff\xd8" + b"".join(segments) + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + b"no pixels"


def png(*chunks: tuple[bytes, bytes], width: int = 40, height: int = 30) -> bytes:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    everything = (header, *chunks, (b"IDAT", b"no pixels"), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in everything
    )


def apple_note(*entries: tuple[int, str]) -> bytes:
    """Return an iPhone's MakerNote with texts: a big-endian directory with offsets from the start of the note."""
    table, values = b"", b""
    for tag, value in entries:
        data = value.encode() + b"\0"
        table += struct.pack(">HHII", tag, ASCII, len(data), 16 + 12 * len(entries) + 4 + len(values))
        values += data
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", len(entries)) + table + bytes(4) + values


def box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + name + data


def xmp(attributes: str = "", elements: str = "") -> bytes:
    """Return an XMP packet with properties as attributes and as elements of one description."""
    names = {
        "dc": "http://purl.org/dc/elements/1.1/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "exifEX": "http://cipa.jp/exif/1.0/",
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "lr": "http://ns.adobe.com/lightroom/1.0/",
        "digiKam": "http://www.digikam.org/ns/1.0/",
        "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
        "GCamera": "http://ns.google.com/photos/1.0/camera/",
    }
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def content(data: bytes) -> Content:
    return Content(b"a file", bytes(32), len(data), 0, data[:65536], data)


def described(data: bytes, format_name: str = "jpeg", kind: Kind = Kind.IMAGE) -> Described:
    return describe(content(data), MediaType(kind, format_name))


def exif_facts(
    image: Iterable[Entry] = (), exif: Iterable[Entry] = (), gps: Iterable[Entry] = ()
) -> dict[str, FactValue]:
    """Return the facts read from a JPEG with these EXIF directories."""
    return dict(described(jpeg(exif_segment(tiff(image, exif, gps)))).facts.get("exif", {}))
