"""Size and metadata from Pillow's header readers: GIF, BMP, JPEG 2000 codestreams, PNM, QOI."""

from __future__ import annotations

import importlib
import io
import warnings

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock
from photoindex.media.metadata.findings import clean_text

_READERS = {
    "gif": ("GifImagePlugin", "GifImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "j2k": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "pnm": ("PpmImagePlugin", "PpmImageFile"),
    "qoi": ("QoiImagePlugin", "QoiImageFile"),
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
        exif = picture.info.get("exif")
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
