"""Where the short video of a motion photo lies: in the same file, behind the picture."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.containers.boxes import boxes, size_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Android's motion photo format 1.0; MicroVideo is what it was called before.
_CAMERA = "{http://ns.google.com/photos/1.0/camera/}"
_ITEM = "{http://ns.google.com/photos/1.0/container/item/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SIGNS = (b"MotionPhoto", b"MicroVideo")

# Samsung's trailer: blocks of data, a directory of them (SEFH), its length, "SEFT".
_TRAILER_END, _DIRECTORY = b"SEFT", b"SEFH"
_MOTION_BLOCK = 0x0A30
_MOTION_NAME = b"MotionPhoto_Data"
_TRAILER_BYTES = 64 << 10
_BLOCK_LIMIT = 200

_BOXED_FORMATS = frozenset({"heic", "heif", "avif"})
_JPEG_FORMATS = frozenset({"jpeg", "mpo"})
_END_OF_IMAGE = b"\xff\xd9"
_BARE_VIDEO = re.compile(rb"\xff\xd9\0{0,64}?(?=\0\0[\0-\x04][\x08-\xff]ftyp)")


@dataclass(frozen=True, slots=True)
class Motion:
    """The video's place: `offset` from the file's start and `length`, both in bytes; `kind`: google, samsung, appended.

    `appended` is a video behind the picture that nothing in the file speaks of.
    """

    offset: int
    length: int
    kind: str


def find_motion(content: Content, format_name: str, packets: list[bytes]) -> Motion | None:
    """Return the video of a motion photo, None for any other picture.

    packets: the file's XMP. Nothing is believed that does not lead to the first bytes of an MP4. Raises ValueError where XMP
    speaks of a video that is not there, and whatever damaged boxes and packets raise.
    """
    if format_name not in _JPEG_FORMATS | _BOXED_FORMATS:
        return None
    with content.open() as stream:
        size = size_of(stream)
        samsung = _samsung_block(stream, size)
        if format_name in _BOXED_FORMATS:
            found = _video_box(stream, size, "google" if samsung is None else "samsung")
            if found is not None:
                return found
        elif samsung is not None and _is_video(stream, *samsung):
            return Motion(*samsung, "samsung")
        said = [packet for packet in packets if any(sign in packet for sign in _SIGNS)]
        for offset, length in (place for packet in said for place in _places_in_xmp(packet, size)):
            if _is_video(stream, offset, length):
                return Motion(offset, length, "google")
    if format_name in _JPEG_FORMATS and (bare := _bare_video(content)) is not None:
        return Motion(bare, size - bare, "google" if said else "appended")
    if any(True for packet in said for _ in _places_in_xmp(packet, size)):
        raise ValueError("XMP speaks of a video behind the picture, and there is none")
    return None


def _is_video(stream: BinaryIO, offset: int, length: int) -> bool:
    """Tell whether an MP4 begins at `offset` (ISO 14496-12: the box `ftyp` comes first)."""
    if offset <= 0 or length <= 16:
        return False
    stream.seek(offset + 4)
    return stream.read(4) == b"ftyp"


def _video_box(stream: BinaryIO, size: int, kind: str) -> Motion | None:
    """Return the content of the box `mpvd`, to its end."""
    for box in boxes(stream, 0, size):
        if box.name == b"mpvd" and _is_video(stream, box.start, box.end - box.start):
            return Motion(box.start, box.end - box.start, kind)
    return None


def _samsung_block(stream: BinaryIO, size: int) -> tuple[int, int] | None:
    """Return offset and length of what Samsung's trailer calls MotionPhoto_Data: the video, or in HEIC a word on the box."""
    if size < 8:
        return None
    stream.seek(size - 8)
    tail = stream.read(8)
    if tail[4:] != _TRAILER_END:
        return None
    (length,) = struct.unpack_from("<I", tail)
    directory = size - 8 - length
    if not 12 <= length <= _TRAILER_BYTES or directory < 0:
        return None
    stream.seek(directory)
    entries = stream.read(length)
    if not entries.startswith(_DIRECTORY):
        return None
    (count,) = struct.unpack_from("<I", entries, 8)
    for index in range(min(count, _BLOCK_LIMIT, (length - 12) // 12)):
        _, kind, back, block_bytes = struct.unpack_from("<HHII", entries, 12 + 12 * index)
        header = 8 + len(_MOTION_NAME)
        if kind == _MOTION_BLOCK and 0 < back <= directory and header <= block_bytes <= back:
            stream.seek(directory - back + 8)
            if stream.read(len(_MOTION_NAME)) == _MOTION_NAME:
                return directory - back + header, block_bytes - header
    return None


def _places_in_xmp(packet: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield the places, offset and length, that a packet gives for the video; they count from the end of the file."""
    from photoindex.media.metadata.standards.xmp import root_of

    root = root_of(packet)
    properties: dict[str, str] = {}
    for description in root.iter(f"{_RDF}Description"):
        properties.update(description.attrib)
        properties.update({part.tag: part.text or "" for part in description})
    if "1" not in (properties.get(f"{_CAMERA}{name}", "").strip() for name in ("MotionPhoto", "MicroVideo")):
        return
    behind = 0
    # The items follow the picture in their order, so the last one ends with the file.
    for item in reversed(list(_items(root))):
        length = _whole(item.get("Length", ""))
        # Padding lies behind its item.
        behind += _whole(item.get("Padding", "")) + length
        if item.get("Semantic") == "MotionPhoto" and length:
            yield size - behind, length
    if offset := _whole(properties.get(f"{_CAMERA}MicroVideoOffset", "")):
        yield size - offset, offset


def _items(root: Element) -> Iterator[dict[str, str]]:
    """Yield the fields of each item of Container:Directory that is not the picture itself."""
    for element in root.iter(f"{_RDF}li"):
        fields = {
            name.removeprefix(_ITEM): value
            for part in element.iter()
            for name, value in (*part.attrib.items(), (part.tag, part.text or ""))
            if name.startswith(_ITEM)
        }
        if fields and fields.get("Semantic") != "Primary":
            yield fields


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _bare_video(content: Content) -> int | None:
    """Return where a video begins right behind the end of the picture, None for a file that ends with its picture."""
    data = content.data
    if data is None or data[-64:].rstrip(b"\0").endswith(_END_OF_IMAGE):
        return None
    match = _BARE_VIDEO.search(data)
    return None if match is None else match.end()
