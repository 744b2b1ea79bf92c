"""Size and metadata from Pillow's header readers: BMP, JPEG 2000 codestreams, PNM, QOI."""

from __future__ import annotations

import importlib
import io
import warnings

from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks, ExifBlock

_READERS = {
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
        # Comments are left out: JPEG 2000 encoders put their own name there.
