"""Size and metadata of TIFF pictures, whose directories have the same structure as EXIF."""

from __future__ import annotations

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.containers.pillow import read_with_pillow
from photoindex.media.metadata.standards.exif import IMAGE, SIZE_TAGS

_BIG_TIFF = (b"II+\0", b"MM\0+")


def read_tiff(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from the first directory of a TIFF."""
    if content.head[:4] in _BIG_TIFF:
        read_with_pillow(content, "tiff", blocks)
        return
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    stream = blocks.keep_open(content.open())
    blocks.exif.append(ExifBlock(stream))
    tags = TiffDirectories(stream)
    tags.read_directory(tags.first_directory(), IMAGE, SIZE_TAGS)
    for width, height in zip(
        tags.integers(f"{IMAGE} ImageWidth")[:1], tags.integers(f"{IMAGE} ImageLength")[:1], strict=False
    ):
        blocks.set_size(width, height)
