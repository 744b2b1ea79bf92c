"""Size and metadata of TIFF pictures, whose directories have the same structure as EXIF."""

from __future__ import annotations

import io
from typing import BinaryIO

from photoindex.media.big_tiff import CLASSIC_HEADER_BYTES, HEADERS, classic_directory, classic_header
from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.standards.exif import IMAGE, SIZE_TAGS


def block_of_bare_directory(data: bytes) -> ExifBlock:
    """Return a little-endian directory without a TIFF header, whose offsets count from its own start, as an EXIF block.

    The header is put over the directory's first 8 bytes, and the directory is repeated at the end, where the header points.
    Raises ValueError if there are not even 8 bytes.
    """
    if len(data) < 8:
        raise ValueError("the directory is cut short")
    directory = data[: 2 + 12 * int.from_bytes(data[:2], "little") + 4]
    return ExifBlock(io.BytesIO(b"II*\0" + len(data).to_bytes(4, "little") + data[8:] + directory))


def read_tiff(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from the first directory of a TIFF."""
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    stream = blocks.keep_open(_opened(content))
    blocks.exif.append(ExifBlock(stream))
    tags = TiffDirectories(stream)
    tags.read_directory(tags.first_directory(), IMAGE, SIZE_TAGS)
    for width, height in zip(
        tags.integers(f"{IMAGE} ImageWidth")[:1], tags.integers(f"{IMAGE} ImageLength")[:1], strict=False
    ):
        blocks.set_size(width, height)


def _opened(content: Content) -> BinaryIO:
    stream = content.open()
    if not content.head.startswith(HEADERS):
        return stream
    with stream:
        directory = classic_directory(stream, CLASSIC_HEADER_BYTES, with_pixels=False)
        return io.BytesIO(classic_header(stream, CLASSIC_HEADER_BYTES) + directory)
