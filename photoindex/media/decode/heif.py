"""Decoding HEIC and HEIF with libheif, which applies the container's rotation and mirroring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photoindex.decoder_memory import pixel_bytes
from photoindex.media.content import Content
from photoindex.media.decode.cicp import needs_conversion
from photoindex.media.decode.pillow import pixel_limit, raster_from_pillow
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import fitted
from photoindex.media.identify.boxes import top_level_boxes
from photoindex.media.identify.heif_coding import unsupported_coding
from photoindex.media.identify.ranged_reader import RangedReader
from photoindex.media.problems import Undecodable
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import ImageFile

_EXIF_DIRECTORY, _EXIF_WIDTH, _EXIF_HEIGHT = 0x8769, 0xA002, 0xA003
_MAX_META_BYTES = 16 << 20


def read_heif(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode the primary picture of a HEIF file, or its own thumbnail where that is large enough; a `Reader`.

    Raises TooLarge, Undecodable.
    """
    import pillow_heif

    use_our_limits()
    # A worker has one core; depth maps and gain maps are not needed.
    options = pillow_heif.options
    options.DECODE_THREADS, options.DEPTH_IMAGES, options.AUX_IMAGES = 1, False, False
    with content.open() as stream, pixel_limit(limits):
        try:
            picture: ImageFile.ImageFile = pillow_heif.HeifImageFile(stream)  # type: ignore[no-untyped-call]
        except SyntaxError as error:
            reason = unsupported_coding(content.head)
            raise Undecodable(reason or f"not a readable HEIF picture: {error}") from error
        with picture:
            full_size = picture.size
            check_size(*full_size, limits, bytes_per_pixel=pixel_bytes(media.format))
            info, orientation = picture.info, _orientation(picture, content)
            picture.draft(None, fitted(*full_size, longest_side_px))
            picture.load()
            raster = raster_from_pillow(picture, longest_side_px)
    return replace(raster, orientation=orientation, full_size=full_size, code_points=_code_points(info, raster))


def use_our_limits() -> None:
    """Switch libheif's fixed limits off, because ours on pixels, memory and time hold: it refuses over 1000 tiles and items.

    At 512 pixels a tile, as most phones write, that is 262 megapixels, or 130 with a gain map of the same size.
    """
    import pillow_heif

    pillow_heif.options.DISABLE_SECURITY_LIMITS = True


def container_rotates(content: Content) -> bool:
    """Tell whether a HEIF file's boxes rotate or mirror the picture (irot, imir; ISO 23008-12). Raises OSError."""
    with RangedReader(content.head, content.open) as reader:
        for name, start, size in top_level_boxes(reader):
            if name == b"meta":
                boxes = reader.read(start, min(size, _MAX_META_BYTES))
                return b"irot" in boxes or b"imir" in boxes
    return False


def remaining_orientation(orientation: int | None, stored: tuple[int, int], in_exif: tuple[Any, Any]) -> int:
    """Return the EXIF orientation still to be applied to a HEIF picture whose container does not rotate it.

    By the standard the container rotates the picture and EXIF repeats the orientation. Some programs write EXIF only;
    others rotate the pixels and do not update EXIF. If the `stored` size equals the size in EXIF, the pixels have not
    been rotated and the EXIF orientation applies.
    """
    return orientation if orientation and tuple(in_exif) == stored else 1


def _orientation(picture: ImageFile.ImageFile, content: Content) -> int:
    original = picture.info.get("original_orientation")
    if not original or original == 1 or container_rotates(content):
        return 1
    exif = picture.getexif().get_ifd(_EXIF_DIRECTORY)
    return remaining_orientation(original, picture.size, (exif.get(_EXIF_WIDTH), exif.get(_EXIF_HEIGHT)))


def _code_points(info: dict[str | tuple[int, int], Any], raster: Raster) -> tuple[int, int] | None:
    """Return colour primaries and transfer if the file has them instead of a profile."""
    nclx = info.get("nclx_profile")
    if not isinstance(nclx, dict) or raster.icc is not None or raster.space is not Space.RGB:
        return None
    points = int(nclx.get("color_primaries", 2)), int(nclx.get("transfer_characteristics", 2))
    return points if needs_conversion(*points) else None
