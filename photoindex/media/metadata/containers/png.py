"""Metadata and size of PNG: a pass over the chunks before and after the pixels (PNG third edition)."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, ExifBlock
from photoindex.media.metadata.containers.photoshop import iptc_of_resources
from photoindex.media.metadata.encodings import with_stray_bytes
from photoindex.media.metadata.findings import clean_text

_CHUNK_LIMIT = 1_000_000
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_WANTED = (b"IHDR", b"eXIf", b"tIME", *_TEXTS)
_TEXT_LIMIT = 200
_ALL_TEXT_BYTES = 32 << 20
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_RAW_PROFILE = b"Raw profile type "


def read_png(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a PNG or APNG file; a text over 4 MiB, and what is over 32 MiB in all, is left out with a note."""
    left = _ALL_TEXT_BYTES
    left_out = 0
    with content.open() as stream:
        for name, data in _chunks(stream):
            if data is None or (left <= 0 and name in _TEXTS):
                left_out += 1
            elif name == b"IHDR":
                blocks.set_size(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big"))
            elif name == b"eXIf":
                blocks.exif.append(ExifBlock(io.BytesIO(data.removeprefix(b"Exif\0\0"))))
            elif name == b"tIME" and len(data) >= 7:
                year, month, day, hour, minute, second = int.from_bytes(data[:2], "big"), *data[2:7]
                blocks.tags["time"] = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            elif name in _TEXTS:
                keyword, text = _text(name, data)
                left -= len(text)
                left_out += len(text) > BLOCK_LIMIT_BYTES
                _add_text(keyword, text, blocks)
    if left_out:
        blocks.notes.append(f"container: {left_out} too large texts were left out or cut")


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield name and content, None if it is too large, of each chunk that may hold metadata; pixel data is skipped."""
    stream.seek(8)
    for _ in range(_CHUNK_LIMIT):
        header = stream.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return
        length = int.from_bytes(header[:4], "big")
        if header[4:] not in _WANTED:
            stream.seek(length + 4, io.SEEK_CUR)
        elif length > BLOCK_LIMIT_BYTES:
            yield header[4:], None
            stream.seek(length + 4, io.SEEK_CUR)
        else:
            yield header[4:], stream.read(length)
            stream.seek(4, io.SEEK_CUR)


def _text(name: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Return keyword and text of a chunk; of a text over the limit, one byte more than that."""
    keyword, _, rest = data.partition(b"\0")
    if name == b"zTXt":
        return keyword, _decompress(rest[1:])
    if name == b"iTXt":
        compressed, rest = rest[:1] == b"\1", rest[2:]
        _language, _, rest = rest.partition(b"\0")
        _translated, _, rest = rest.partition(b"\0")
        return keyword, _decompress(rest) if compressed else rest
    return keyword, rest


def _add_text(keyword: bytes, text: bytes, blocks: Blocks) -> None:
    is_whole = len(text) <= BLOCK_LIMIT_BYTES
    if keyword == _XMP_KEYWORD:
        blocks.xmp.extend([text] if is_whole else [])
    elif keyword.startswith(_RAW_PROFILE):
        if is_whole:
            _read_profile(keyword.removeprefix(_RAW_PROFILE), text, blocks)
    elif len(blocks.tags) < _TEXT_LIMIT:
        # Latin-1 by the standard (of iTXt UTF-8), but many programs write UTF-8 or what their system uses.
        blocks.tags.setdefault(clean_text(keyword).lower(), clean_text(with_stray_bytes(text)))


def _decompress(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, BLOCK_LIMIT_BYTES + 1)
    except zlib.error:
        return b""


def _read_profile(kind: bytes, text: bytes, blocks: Blocks) -> None:
    """Read a block that ImageMagick wrote as hexadecimal text after its name and length."""
    lines = text.strip().split(b"\n", 2)
    try:
        data = bytes.fromhex(lines[2].decode("ascii")) if len(lines) == 3 else b""
    except ValueError:
        blocks.notes.append(f"container: a damaged profile {clean_text(kind)!r}")
        return
    if kind in (b"exif", b"APP1") and data.startswith(b"Exif\0\0"):
        blocks.exif.append(ExifBlock(io.BytesIO(data[6:])))
    elif kind == b"iptc":
        blocks.iptc.extend(iptc_of_resources(data) or [data])
    elif kind == b"xmp" or data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
        blocks.xmp.append(data.removeprefix(b"http://ns.adobe.com/xap/1.0/\0"))
