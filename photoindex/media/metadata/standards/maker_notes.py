"""Facts that cameras write only into their proprietary MakerNote."""

from __future__ import annotations

import struct

from photoindex.media.metadata.findings import Findings, clean_text
from photoindex.media.metadata.standards.maker_directory import MakerNote
from photoindex.media.metadata.standards.maker_lenses import add_maker_lens

# Tag numbers and offsets as documented by ExifTool (Image::ExifTool::Apple, Image::ExifTool::Reconyx).
_APPLE = b"Apple iOS\0"
_APPLE_IDENTIFIERS = {0x000B: "burst_identifier", 0x0011: "content_identifier"}
_RECONYX = b"\x01\xf1"
_RECONYX_TIME = 22


def add_maker_note(note: MakerNote, found: Findings) -> None:
    """Add the facts of a maker note; the maker is recognised by the first bytes, else by the make."""
    if note.data.startswith(_APPLE):
        _add_apple(note.data, found)
    elif note.data.startswith(_RECONYX):
        _add_reconyx(note.data, found)
    else:
        add_maker_lens(note, found)


def _add_apple(note: bytes, found: Findings) -> None:
    """Add the ids that link the pictures of a burst and the two files of a Live Photo.

    The note is a big-endian TIFF directory with offsets relative to the note's start.
    """
    count = int.from_bytes(note[14:16], "big")
    for start in range(16, min(16 + 12 * count, len(note) - 11), 12):
        name = _APPLE_IDENTIFIERS.get(int.from_bytes(note[start : start + 2], "big"))
        length = int.from_bytes(note[start + 4 : start + 8], "big")
        offset = int.from_bytes(note[start + 8 : start + 12], "big")
        if name is not None and 4 < length <= 256:
            found.add(name, clean_text(note[offset : offset + length]))


def _add_reconyx(note: bytes, found: Findings) -> None:
    """Add the capture time of a trail camera that does not write the standard tag."""
    if len(note) < _RECONYX_TIME + 12:
        return
    second, minute, hour, month, day, year = struct.unpack_from("<6H", note, _RECONYX_TIME)
    found.add_time("taken_at", f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
