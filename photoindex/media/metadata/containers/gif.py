"""Size, comments and XMP of GIF: a pass over the blocks between and after its frames (GIF89a)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks
from photoindex.media.metadata.encodings import with_stray_bytes

_BLOCK_LIMIT = 1_000_000
_EXTENSION, _IMAGE = b"\x21", b"\x2c"
_COMMENT, _APPLICATION = b"\xfe", b"\xff"
_XMP = b"XMP DataXMP"
# Readers that do not know XMP take its bytes for the lengths of sub-blocks; wherever they arrive here, this leads them to the
# end (ISO 16684-1 part 3, 1.1.2).
_XMP_TRAILER = bytes((1, *range(0xFF, -1, -1), 0))


def read_gif(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a GIF; several comments become one text of as many lines."""
    comments: list[bytes] = []
    with content.open() as stream:
        head = stream.read(13)
        blocks.set_size(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))
        _skip_colours(stream, head[10:11])
        for kind, name, data in _extensions(stream):
            if kind == _COMMENT:
                comments.append(data)
            elif kind == _APPLICATION and name == _XMP:
                blocks.xmp.append(data)
    if any(comments):
        blocks.tags["comment"] = with_stray_bytes(b"\n".join(comments)[:BLOCK_LIMIT_BYTES])


def _extensions(stream: BinaryIO) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield kind, name and content of the extensions that hold text; frames are skipped."""
    for _ in range(_BLOCK_LIMIT):
        start = stream.read(1)
        if start == _IMAGE:
            _skip_colours(stream, stream.read(9)[8:9])
            stream.read(1)
            _sub_blocks(stream, keep=False)
        elif start == _EXTENSION:
            kind = stream.read(1)
            name = stream.read(int.from_bytes(stream.read(1), "little")) if kind == _APPLICATION else b""
            raw, joined = _sub_blocks(stream, keep=kind == _COMMENT or name == _XMP)
            yield kind, name, _packet(raw, joined) if name == _XMP else joined
        else:
            return


def _packet(raw: bytes, joined: bytes) -> bytes:
    """Return an XMP packet; without a trailer, a program divided it into sub-blocks. One over 4 MiB is returned as it is."""
    packet, trailer, _ = raw.rpartition(_XMP_TRAILER[:-1])
    if trailer:
        return packet
    return raw if len(raw) > BLOCK_LIMIT_BYTES else joined


def _skip_colours(stream: BinaryIO, flags: bytes) -> None:
    bits = flags[0] if flags else 0
    if bits & 0x80:
        stream.seek(3 << ((bits & 7) + 1), 1)


def _sub_blocks(stream: BinaryIO, *, keep: bool) -> tuple[bytes, bytes]:
    """Return a chain of sub-blocks, with and without their lengths, up to 4 MiB if `keep`."""
    raw, joined = bytearray(), bytearray()
    while (length := stream.read(1)) not in (b"", b"\0"):
        data = stream.read(length[0])
        if keep and len(raw) <= BLOCK_LIMIT_BYTES:
            raw += length + data
            joined += data
    return bytes(raw), bytes(joined)
