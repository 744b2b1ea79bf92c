"""What AVI files hold in RIFF chunks: EXIF, XMP and the camera's wall clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks
from photoindex.media.metadata.containers.tiff import block_of_bare_directory
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.videos.header_time import HEADER_TIME, take_header_time_as_local

_CHUNK_LIMIT = 5000
_LISTS = (b"LIST", b"RIFF")
_FRAMES = b"movi"
_XMP = b"_PMX"
_DATE = b"IDIT"
_HEADER = b"avih"  # its first number is the time of a frame in microseconds, its fifth how many frames there are
_STREAM_DATA = b"strd"
_EXIF = b"AVIF\0\0\0\0"
# Casio writes `2001/ 1/27  1:42PM` and `2005/11/28/ 09:19`, in which FFmpeg replaces the slashes.
_WITHOUT_SECONDS = re.compile(
    r"(\d{4})[-/ ]+(\d{1,2})[-/ ]+(\d{1,2})[-/ ]+(\d{1,2}): ?(\d\d) ?([AP]?)M?", re.ASCII | re.IGNORECASE
)


def read_avi(stream: BinaryIO, blocks: Blocks) -> None:
    """Add EXIF and XMP; IDIT and the makers' dates, which FFmpeg reads, have no zone and are the camera's wall clock."""
    for name, start, length in _chunks(stream):
        if name not in (_XMP, _STREAM_DATA, _DATE, _HEADER) or length > BLOCK_LIMIT_BYTES:
            continue
        stream.seek(start)
        data = stream.read(length)
        if name == _HEADER and len(data) >= 20:
            blocks.set_duration(int.from_bytes(data[:4], "little") * int.from_bytes(data[16:20], "little") / 1e6)
        elif name == _XMP:
            blocks.xmp.append(data)
        elif name == _DATE:
            blocks.tags.setdefault(HEADER_TIME, clean_text(data))  # FFmpeg leaves out `2002-12-16  15:35:01` by Konica
        elif data.startswith(_EXIF):
            blocks.exif.append(block_of_bare_directory(data[len(_EXIF) :]))
    match = _WITHOUT_SECONDS.fullmatch(blocks.tags.get(HEADER_TIME, "").strip())
    if match is not None:
        year, month, day, hour, minute = (int(part) for part in match.group(1, 2, 3, 4, 5))
        if match[6]:
            hour = hour % 12 + (12 if match[6] in "Pp" else 0)
        blocks.tags[HEADER_TIME] = f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}"
    take_header_time_as_local(blocks)


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset and length of the chunks, with those in lists except the frames."""
    start = 0
    for _ in range(_CHUNK_LIMIT):
        stream.seek(start)
        header = stream.read(12)
        if len(header) < 8:
            return
        name, length = header[:4], int.from_bytes(header[4:8], "little")
        if name in _LISTS and header[8:] != _FRAMES:
            start += 12  # the first chunk in the list; what follows the list comes after its last
            continue
        yield name, start + 8, length
        start += 8 + length + (length & 1)
