"""Decoding PNG, whatever is in its chunks of text: they never cost a picture its pixels."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from photoindex.media.content import HEAD_BYTES, Content
from photoindex.media.decode.pillow import read_still
from photoindex.media.decode.raster import Raster
from photoindex.media.problems import OutOfMemory, TooLarge
from photoindex.types import Limits, MediaType

_SIGNATURE_BYTES = 8
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_TEXT_BYTES = 1 << 20
_ALL_TEXT_BYTES = 16 << 20
_PROFILE_BYTES = 16 << 20
TEXT_LEFT_OUT = "text in the file is too large or damaged and was left out"
PROFILE_LEFT_OUT = "the colour profile is too large or damaged and was ignored"


def read_png(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a PNG (or the first frame of an APNG); a `Reader`. Raises TooLarge, OutOfMemory, Undecodable.

    Pillow refuses pictures with more than 1 MiB in a compressed text or colour profile, with more than 64 MiB of text, and
    with damaged text. They are decoded without it, with a note.
    """
    try:
        return read_still(content, media, longest_side_px, limits)
    except (TooLarge, OutOfMemory, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        with content.open() as stream:
            cleaned = _cleaned(stream.read())
        if not cleaned.notes and cleaned.icc is None:
            raise
    data = b"".join(cleaned.parts)
    raster = read_still(replace(content, data=data, head=data[:HEAD_BYTES]), media, longest_side_px, limits)
    return replace(raster, icc=cleaned.icc or raster.icc, notes=(*raster.notes, *cleaned.notes))


@dataclass(slots=True)
class _Cleaned:
    """What remains of a file (its parts), the profile that Pillow would not read, and notes on what was left out."""

    parts: list[memoryview]
    icc: bytes | None = None
    notes: list[str] = field(default_factory=list)


def _cleaned(data: bytes) -> _Cleaned:
    view = memoryview(data)
    cleaned = _Cleaned([view[:_SIGNATURE_BYTES]])
    left = _ALL_TEXT_BYTES
    for start, end in _chunks(data):
        name, content = data[start + 4 : start + 8], view[start + 8 : end - 4]
        if name in _TEXTS:
            size = _text_bytes(name, content) if left > 0 and _is_intact(view, start, end) else None
            left -= size or 0
            if size is None or left < 0:
                cleaned.notes.append(TEXT_LEFT_OUT)
                continue
        elif name == b"iCCP":
            cleaned.icc = _profile(content) if _is_intact(view, start, end) else None
            if cleaned.icc is None:
                cleaned.notes.append(PROFILE_LEFT_OUT)
            continue
        cleaned.parts.append(view[start:end])
    return cleaned


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each chunk; the last may be cut short."""
    start = _SIGNATURE_BYTES
    while start < len(data):
        end = min(start + 12 + int.from_bytes(data[start : start + 4], "big"), len(data))
        yield start, end
        start = end


def _is_intact(view: memoryview, start: int, end: int) -> bool:
    return zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")


def _text_bytes(name: bytes, content: memoryview) -> int | None:
    """Return the size of a text, None if it is over 1 MiB or cannot be decompressed."""
    if len(content) > _TEXT_BYTES:
        return None
    _, _, rest = bytes(content).partition(b"\0")
    if name == b"tEXt" or (name == b"iTXt" and rest[:1] != b"\1"):
        return len(content)
    method, packed = (rest[:1], rest[1:]) if name == b"zTXt" else (rest[1:2], rest[2:].split(b"\0", 2)[-1])
    text = _unpacked(packed, _TEXT_BYTES) if method in (b"", b"\0") else None
    return None if text is None else len(text)


def _profile(content: memoryview) -> bytes | None:
    _, _, rest = bytes(content).partition(b"\0")
    return _unpacked(rest[1:], _PROFILE_BYTES)


def _unpacked(packed: bytes, limit: int) -> bytes | None:
    """Decompress a stream whole, or return None if it is damaged or longer than `limit`."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        return None
    return data if unpacker.eof and len(data) <= limit else None
