"""HEIC and HEIF, decoded by libheif, which turns and mirrors the picture itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photoindex.media.content import Content
from photoindex.media.decode.cicp import needs_conversion
from photoindex.media.decode.pillow import pixel_limit, raster_from_pillow
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import fitted
from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.ranged_reader import Reach
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import ImageFile

_EXIF_DIRECTORY, _EXIF_WIDTH, _EXIF_HEIGHT = 0x8769, 0xA002, 0xA003
_DECODER_BYTES = 12
_MAX_META_BYTES = 16 << 20


def read_heif(content: Content, _media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode the primary picture of a HEIF file, or its own thumbnail where that is large enough; a `Reader`.

    Raises TooLarge, Undecodable.
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
            full_size = picture.size
            check_size(*full_size, limits, bytes_per_pixel=_DECODER_BYTES)
            info, orientation = picture.info, _orientation(picture, content)
            picture.draft(None, fitted(*full_size, longest_side_px))
            picture.load()
            raster = raster_from_pillow(picture, longest_side_px)
    return replace(raster, orientation=orientation, full_size=full_size, code_points=_code_points(info, raster))


def turns_of_container(content: Content) -> bool:
    """Tell whether a HEIF file's boxes turn or mirror a picture (irot, imir; ISO 23008-12). Raises OSError."""
    with Reach(content.head, content.open) as reach:
        for name, start, size in top_level_boxes(reach):
            if name == b"meta":
                boxes = reach.read(start, min(size, _MAX_META_BYTES))
                return b"irot" in boxes or b"imir" in boxes
    return False


def orientation_left(orientation: int | None, stored: tuple[int, int], in_exif: tuple[Any, Any]) -> int:
    """Return the EXIF orientation that is still to be applied to a HEIF picture whose container turns nothing.

    The standard has the container turn the picture and EXIF repeat it. Some cameras' programs write EXIF alone; others
    turn the pixels and forget the tag. Where the sizes of `stored` pixels and those that EXIF names agree, the pixels
    have not been turned and EXIF is believed.
    """
    return orientation if orientation and tuple(in_exif) == stored else 1


def _orientation(picture: ImageFile.ImageFile, content: Content) -> int:
    named = picture.info.get("original_orientation")
    if not named or named == 1 or turns_of_container(content):
        return 1
    exif = picture.getexif().get_ifd(_EXIF_DIRECTORY)
    return orientation_left(named, picture.size, (exif.get(_EXIF_WIDTH), exif.get(_EXIF_HEIGHT)))


def _code_points(info: dict[str | tuple[int, int], Any], raster: Raster) -> tuple[int, int] | None:
    """Return colour primaries and transfer where the file names them instead of a profile."""
    named = info.get("nclx_profile")
    if not isinstance(named, dict) or raster.icc is not None or raster.space is not Space.RGB:
        return None
    points = int(named.get("color_primaries", 2)), int(named.get("transfer_characteristics", 2))
    return points if needs_conversion(*points) else None
