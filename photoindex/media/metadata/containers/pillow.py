"""Size and metadata from Pillow's header readers: GIF, BMP, JPEG 2000 codestreams, PNM, QOI, BigTIFF."""

from __future__ import annotations

import importlib
import io
import warnings
from typing import TYPE_CHECKING

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.standards.exif import GPS_TAGS, IMAGE_TAGS

if TYPE_CHECKING:
    from PIL.Image import Exif

_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825
_POINTERS = frozenset({_EXIF_DIRECTORY, _GPS_DIRECTORY, 0x014A, 0xA005})
_READERS = {
    "gif": ("GifImagePlugin", "GifImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "j2k": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "pnm": ("PpmImagePlugin", "PpmImageFile"),
    "qoi": ("QoiImagePlugin", "QoiImageFile"),
    "tiff": ("TiffImagePlugin", "TiffImageFile"),
}
"""Format name -> Pillow class. `Image.open` would try other formats too, and rejects large pictures without giving their size."""


def read_with_pillow(content: Content, format_name: str, blocks: Blocks) -> None:
    """Fill `blocks` using Pillow's header reader. Raises KeyError for a format not in the table."""
    module, name = _READERS[format_name]
    reader = getattr(importlib.import_module(f"PIL.{module}"), name)
    with content.open() as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = reader(stream, "")
        blocks.set_size(*picture.size)
        blocks.upright = format_name == "tiff"  # the only format where Pillow's size already respects the orientation
        exif = _classic_exif(picture.getexif()) if format_name == "tiff" else picture.info.get("exif")
        if isinstance(exif, bytes):
            blocks.exif.append(ExifBlock(io.BytesIO(exif.removeprefix(b"Exif\0\0"))))
        if isinstance(xmp := picture.info.get("xmp"), bytes):
            blocks.xmp.append(xmp)
        # Other formats are skipped: JPEG 2000 encoders put their own name into the comment.
        if format_name == "gif" and (comment := picture.info.get("comment")):
            blocks.tags["comment"] = clean_text(comment)


def read_gif(content: Content, blocks: Blocks) -> None:
    """Fill `blocks` from a GIF; the size is read from the header first, in case a bad frame makes Pillow fail."""
    blocks.set_size(int.from_bytes(content.head[6:8], "little"), int.from_bytes(content.head[8:10], "little"))
    read_with_pillow(content, "gif", blocks)


def _classic_exif(big: Exif) -> bytes:
    """Convert the known tags of a BigTIFF to a classic TIFF structure, which the EXIF reader understands."""
    from PIL.Image import Exif

    classic = Exif()
    for source, target, names in (
        (big, classic, IMAGE_TAGS),
        (big.get_ifd(_EXIF_DIRECTORY), classic.get_ifd(_EXIF_DIRECTORY), IMAGE_TAGS),
        (big.get_ifd(_GPS_DIRECTORY), classic.get_ifd(_GPS_DIRECTORY), GPS_TAGS),
    ):
        target.update({number: source[number] for number in names if number in source and number not in _POINTERS})
    return classic.tobytes()
