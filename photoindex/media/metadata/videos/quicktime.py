"""What QuickTime, MP4 and 3GP hold in boxes that FFmpeg does not expose: rotation, XMP, and the makers' own blocks."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.boxes import (
    Box,
    box_content,
    boxes,
    collect_canon_exif,
    collect_xmp,
    find_box,
    stream_size,
)
from photoindex.media.metadata.containers.jpeg import scan_jpeg
from photoindex.media.metadata.containers.tiff import block_of_bare_directory
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.videos.header_time import WALL_TIME, take_header_time_as_local

# First two numbers of a track's display matrix -> EXIF orientation.
_ORIENTATION_OF_MATRIX = {(1, 0): 1, (0, 1): 6, (-1, 0): 3, (0, -1): 8}

_LOCAL_CLOCKS = {
    b"CNTH": "Canon",
    b"NCDT": "Nikon",
    b"MVTG": "FUJIFILM",
    b"FFMV": "FUJIFILM",
    b"QVMI": "CASIO",
    b"DcMD": "Kodak",
    b"MMA0": "Minolta",
    b"MMA1": "Minolta",
    b"PXMN": "PENTAX",
    b"PXTH": "PENTAX",
}
"""User data of cameras that know no zone, or do not use it here: their header has local time (see docs/video-times.md)."""

# Cameras of the 2000s begin this box with `PENTAX DIGITAL CAMERA`, `EASTMAN KODAK COMPANY` and the like.
_TAGS = re.compile(rb"([A-Z ]{2,30}?) (?:DIGITAL CAMERA|COMPANY)\0")
# Firmware of GoPro's HD2 to HERO11 (H22); the HERO12 (H23) knows the zone and writes UTC.
_GOPRO = re.compile(rb"H(?:D\d|1\d|2\d)")
_GOPRO_WITH_ZONE = re.compile(rb"H2[3-9]")

_NIKON_MAKE, _NIKON_MODEL, _NIKON_TIME = 0x01, 0x02, 0x12
_EXIF_TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)
_EXIF_TEXT = 2
_SONY_DATE = re.compile(rb'<CreationDate\s{1,9}value="([^"]{10,40})"')
_SONY_DEVICE = re.compile(rb'<Device\s{1,9}manufacturer="([^"]{1,40})"\s{1,9}modelName="([^"]{1,60})"')


def read_quicktime(stream: BinaryIO, blocks: Blocks) -> None:
    """Add rotation, XMP, EXIF, the user's date and the maker's, and decide whether the header's time is UTC."""
    end = stream_size(stream)
    is_local = False
    for box in boxes(stream, 0, end):
        collect_xmp(stream, box, blocks)
        if box.name == b"meta":
            _add_sony(stream, box, blocks)
        elif box.name == b"moov":
            collect_canon_exif(stream, box, blocks)
            for part in boxes(stream, box.start, box.end):
                with guarded(blocks.notes.append, "container: damaged boxes"):
                    if part.name == b"mvhd":
                        _add_duration(box_content(stream, part), blocks)
                    elif part.name == b"trak" and blocks.orientation is None:
                        _add_track(stream, part, blocks)
                    elif part.name == b"udta":
                        is_local |= _read_user_data(stream, part, blocks)
    if is_local:
        take_header_time_as_local(blocks)


def _add_duration(header: bytes, blocks: Blocks) -> None:
    """Add the duration of the movie's header (ISO 14496-12, 8.2.2), for damaged files that FFmpeg cannot open."""
    scale, duration = (
        struct.unpack_from(">IQ", header, 20) if header[:1] == b"\1" else struct.unpack_from(">II", header, 12)
    )
    if scale:
        blocks.set_duration(duration / scale)


def _add_track(stream: BinaryIO, track: Box, blocks: Blocks) -> None:
    """Add a video track's rotation as an EXIF orientation (ISO 14496-12, 8.3.2), and its size if FFmpeg could not tell."""
    handler = find_box(stream, (b"mdia", b"hdlr"), track.start, track.end)
    header = find_box(stream, (b"tkhd",), track.start, track.end)
    if handler is None or header is None or box_content(stream, handler)[8:12] != b"vide":
        return
    data = box_content(stream, header)
    matrix = 52 if data[:1] == b"\1" else 40
    a, b = struct.unpack_from(">ii", data, matrix)
    blocks.orientation = _ORIENTATION_OF_MATRIX.get((round(a / 65536), round(b / 65536)), 1)
    blocks.set_size(*(round(side / 65536) for side in struct.unpack_from(">II", data, matrix + 36)))


def _read_user_data(stream: BinaryIO, user_data: Box, blocks: Blocks) -> bool:
    """Read `udta`; return whether its maker's cameras put local time into the header."""
    is_local = False
    seen: set[bytes] = set()
    for box in boxes(stream, user_data.start, user_data.end):
        if box.name in seen:
            continue
        seen.add(box.name)
        if box.name == b"XMP_":
            blocks.xmp.append(box_content(stream, box))
        elif box.name in _USER_DATA:
            with guarded(blocks.notes.append, f"container: damaged {box.name.decode()}"):
                is_local |= _USER_DATA[box.name](stream, box, blocks)
        if box.name in _LOCAL_CLOCKS:
            is_local = True
            blocks.tags.setdefault("make", _LOCAL_CLOCKS[box.name])
    return is_local


def _add_date(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    """Add `date`, which ExifTool calls UserData:DateTimeOriginal: the recording time as text."""
    blocks.tags.setdefault(WALL_TIME, clean_text(box_content(stream, box)[:64]))
    return False


def _add_thumbnail(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    """Add the EXIF of the JPEG in Canon's CNTH and Panasonic's and Leica's PANA and LEIC, which is never local by itself."""
    data = box_content(stream, box)
    start = data.find(b"\xff\xd8\xff\xe1")
    thumbnail = Blocks()
    scan_jpeg(data[start:] if start >= 0 else b"", thumbnail)
    blocks.exif.extend(thumbnail.exif)
    return False


def _add_fuji(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    blocks.exif.append(block_of_bare_directory(box_content(stream, box, 16)))
    return True


def _add_nikon(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    """Add maker, model and time of NCTG: records of a number, a type and a count as in EXIF, and the value."""
    tags = find_box(stream, (b"NCTG",), box.start, box.end)
    data = b"" if tags is None else box_content(stream, tags)
    names = {_NIKON_MAKE: "make", _NIKON_MODEL: "model", _NIKON_TIME: WALL_TIME}
    start = 0
    while start + 8 <= len(data):
        number, kind, count = struct.unpack_from(">IHH", data, start)
        if not 0 < kind < len(_EXIF_TYPE_BYTES):
            break
        end = start + 8 + count * _EXIF_TYPE_BYTES[kind]
        if number in names and kind == _EXIF_TEXT:
            blocks.tags.setdefault(names[number], clean_text(data[start + 8 : end]))
        start = end
    return True


def _add_tags(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    match = _TAGS.match(box_content(stream, box)[:64])
    if match is None:
        return False
    blocks.tags.setdefault("make", clean_text(match[1]))
    return True


def _add_gopro(stream: BinaryIO, box: Box, blocks: Blocks) -> bool:
    firmware = box_content(stream, box)[:64]
    if _GOPRO.match(firmware) is None:
        return False
    blocks.tags.setdefault("make", "GoPro")
    return _GOPRO_WITH_ZONE.match(firmware) is None


def _add_sony(stream: BinaryIO, box: Box, blocks: Blocks) -> None:
    """Add date, with its zone, and camera of Sony's "non real time metadata"; Sony's header is UTC as it should be."""
    xml = find_box(stream, (b"xml ",), box.start + 4, box.end)
    data = b"" if xml is None else box_content(stream, xml)
    if match := _SONY_DATE.search(data):
        blocks.tags.setdefault(WALL_TIME, clean_text(match[1]))
    if match := _SONY_DEVICE.search(data):
        blocks.tags.setdefault("make", clean_text(match[1]))
        blocks.tags.setdefault("model", clean_text(match[2]))


_USER_DATA: dict[bytes, Callable[[BinaryIO, Box, Blocks], bool]] = {
    b"date": _add_date,
    b"CNTH": _add_thumbnail,
    b"PANA": _add_thumbnail,
    b"LEIC": _add_thumbnail,
    b"MVTG": _add_fuji,
    b"NCDT": _add_nikon,
    b"TAGS": _add_tags,
    b"FIRM": _add_gopro,
}
