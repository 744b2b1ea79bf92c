"""HEIC and HEIF, decoded by libheif, which turns and mirrors the picture itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photoindex.media.content import Content
from photoindex.media.problems import Undecodable
from photoindex.media.raster import Raster, check_size
from photoindex.media.scale import fitted
from photoindex.media.still import pixel_limit, raster_from_pillow
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import ImageFile


def read_heif(content: Content, _media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode the primary picture of a HEIF file, or its own thumbnail where that is large enough; a `Reader`.

    The container's turns (irot, imir; ISO 23008-12) are applied by the library. The EXIF orientation repeats them and
    is ignored, as the standard asks. Raises TooLarge, Undecodable.
    """
    import pillow_heif

    # A worker has one core; depth maps and gain maps are of no use here.
    options = pillow_heif.options
    options.DECODE_THREADS, options.DEPTH_IMAGES, options.AUX_IMAGES = 1, False, False
    with content.open() as stream, pixel_limit(limits):
        try:
            picture: ImageFile.ImageFile = pillow_heif.HeifImageFile(stream)  # type: ignore[no-untyped-call]
        except SyntaxError as error:
            raise Undecodable(f"this is no readable HEIF picture: {error}") from error
        with picture:
            check_size(*picture.size, limits)
            picture.draft(None, fitted(*picture.size, longest_side_px))
            picture.load()
            return replace(raster_from_pillow(picture, longest_side_px), orientation=1)
