"""Finding the short video that a motion photo carries in the same file, after the picture."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.containers.boxes import boxes, stream_size

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Android's motion photo format 1.0, previously called MicroVideo.
_CAMERA = "{http://ns.google.com/photos/1.0/camera/}"
_ITEM = "{http://ns.google.com/photos/1.0/container/item/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_MARKERS = (b"MotionPhoto", b"MicroVideo")

# Samsung's trailer: data blocks, their directory (SEFH), its length, "SEFT".
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
class MotionVideo:
    """Position of the video: `offset` from the start of the file and `length`, both in bytes.

    kind: google, samsung, or appended for a video after the picture that no metadata mentions.
    """

    offset: int
    length: int
    kind: str


def find_motion_video(content: Content, format_name: str, packets: list[bytes]) -> MotionVideo | None:
    """Return the video of a motion photo, None for any other picture.

    packets: the file's XMP. An offset counts only if an MP4 begins there. Raises ValueError if XMP announces a video that is
    missing, and whatever damaged boxes and packets raise.
    """
    if format_name not in _JPEG_FORMATS | _BOXED_FORMATS:
        return None
    with content.open() as stream:
        size = stream_size(stream)
        samsung = _samsung_block(stream, size)
        if format_name in _BOXED_FORMATS:
            found = _video_box(stream, size, "google" if samsung is None else "samsung")
            if found is not None:
                return found
        elif samsung is not None and _is_video(stream, *samsung):
            return MotionVideo(*samsung, "samsung")
        announcing = [packet for packet in packets if any(marker in packet for marker in _MARKERS)]
        for offset, length in (span for packet in announcing for span in _spans_in_xmp(packet, size)):
            if _is_video(stream, offset, length):
                return MotionVideo(offset, length, "google")
    if format_name in _JPEG_FORMATS and (bare := _bare_video(content)) is not None:
        return MotionVideo(bare, size - bare, "google" if announcing else "appended")
    if any(True for packet in announcing for _ in _spans_in_xmp(packet, size)):
        raise ValueError("XMP announces a video after the picture, but there is none")
    return None


def _is_video(stream: BinaryIO, offset: int, length: int) -> bool:
    """Tell whether an MP4 begins at `offset` (ISO 14496-12: `ftyp` is the first box)."""
    if offset <= 0 or length <= 16:
        return False
    stream.seek(offset + 4)
    return stream.read(4) == b"ftyp"


def _video_box(stream: BinaryIO, size: int, kind: str) -> MotionVideo | None:
    """Return the video in the `mpvd` box."""
    for box in boxes(stream, 0, size):
        if box.name == b"mpvd" and _is_video(stream, box.start, box.end - box.start):
            return MotionVideo(box.start, box.end - box.start, kind)
    return None


def _samsung_block(stream: BinaryIO, size: int) -> tuple[int, int] | None:
    """Return offset and length of MotionPhoto_Data in Samsung's trailer: the video, or in HEIC a reference to its box."""
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


def _spans_in_xmp(packet: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield offset and length of the video as a packet gives them, converted from distances to the end of the file."""
    from photoindex.media.metadata.standards.xmp_packets import root_of

    root = root_of(packet)
    properties: dict[str, str] = {}
    for description in root.iter(f"{_RDF}Description"):
        properties.update(description.attrib)
        properties.update({part.tag: part.text or "" for part in description})
    if "1" not in (properties.get(f"{_CAMERA}{name}", "").strip() for name in ("MotionPhoto", "MicroVideo")):
        return
    behind = 0
    # The items follow the picture in order, so the last one ends at the end of the file.
    for item in reversed(list(_items(root))):
        length = _integer(item.get("Length", ""))
        # Padding follows its item.
        behind += _integer(item.get("Padding", "")) + length
        if item.get("Semantic") == "MotionPhoto" and length:
            yield size - behind, length
    if offset := _integer(properties.get(f"{_CAMERA}MicroVideoOffset", "")):
        yield size - offset, offset


def _items(root: Element) -> Iterator[dict[str, str]]:
    """Yield the fields of each item of Container:Directory except the picture itself."""
    for element in root.iter(f"{_RDF}li"):
        fields = {
            name.removeprefix(_ITEM): value
            for part in element.iter()
            for name, value in (*part.attrib.items(), (part.tag, part.text or ""))
            if name.startswith(_ITEM)
        }
        if fields and fields.get("Semantic") != "Primary":
            yield fields


def _integer(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _bare_video(content: Content) -> int | None:
    """Return the offset of a video that directly follows the picture, None if the file ends with the picture."""
    data = content.data
    if data is None or data[-64:].rstrip(b"\0").endswith(_END_OF_IMAGE):
        return None
    match = _BARE_VIDEO.search(data)
    return None if match is None else match.end()
