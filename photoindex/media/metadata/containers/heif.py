"""Metadata and size of HEIC, HEIF and AVIF pictures, through libheif."""

from __future__ import annotations

import io
import re

from photoindex.media.content import Content
from photoindex.media.identify.heif_coding import unsupported_coding
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.standards.exif import size_in_exif

_AVIF_BRANDS = (b"avif", b"avis")
_SALVAGE_BYTES = 64 << 20
_EXIF_START = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")


def read_heif(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from the primary picture; the size is given after `irot`, `imir` and `clap` (ISO 23008-12)."""
    import pillow_heif

    from photoindex.media.decode.heif import container_rotates, use_our_limits

    use_our_limits()

    with content.open() as stream:
        try:
            picture = pillow_heif.open_heif(stream, convert_hdr_to_8bit=False)
            blocks.set_size(*picture.size)
        except Exception:
            stream.seek(0)
            _salvage(stream.read(_SALVAGE_BYTES), blocks)
            if reason := unsupported_coding(content.head):
                blocks.notes.append(f"container: {reason}")
                return
            raise
    exif, xmp = picture.info.get("exif"), picture.info.get("xmp")
    if exif:
        blocks.exif.append(ExifBlock(io.BytesIO(exif.removeprefix(b"Exif\0\0"))))
    blocks.upright = True
    if blocks.exif and content.head[8:12] not in _AVIF_BRANDS and not container_rotates(content):
        # Against the standard, some programs give the rotation in EXIF only; the decoder follows the same rule.
        with guarded(blocks.notes.append, "container: damaged EXIF"):
            blocks.upright = size_in_exif(blocks.exif[0]) != picture.size
    if xmp:
        blocks.xmp.append(xmp)


def _salvage(data: bytes, blocks: Blocks) -> None:
    """Search a damaged file for its EXIF block; libheif reads nothing of such a file."""
    match = _EXIF_START.search(data)
    if match:
        blocks.exif.append(ExifBlock(io.BytesIO(data), match.end()))
