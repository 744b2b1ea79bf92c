"""Pictures that Pillow decodes: PNG, WebP, TIFF, GIF, BMP, JPEG 2000, AVIF, PSD, PNM and QOI."""

from __future__ import annotations

import importlib
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.colour import lab_to_srgb
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import TooLarge, Undecodable
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import Image

_PLUGINS: dict[str, tuple[str, str]] = {
    "png": ("PngImagePlugin", "PNG"),
    "webp": ("WebPImagePlugin", "WEBP"),
    "tiff": ("TiffImagePlugin", "TIFF"),
    "gif": ("GifImagePlugin", "GIF"),
    "bmp": ("BmpImagePlugin", "BMP"),
    "jp2": ("Jpeg2KImagePlugin", "JPEG2000"),
    "j2k": ("Jpeg2KImagePlugin", "JPEG2000"),
    "avif": ("AvifImagePlugin", "AVIF"),
    "psd": ("PsdImagePlugin", "PSD"),
    "pnm": ("PpmImagePlugin", "PPM"),
    "qoi": ("QoiImagePlugin", "QOI"),
}
"""Format: the module of Pillow that reads it, and Pillow's name of it."""

_WEBP_BYTES = 12
_DECODER_BYTES = {"AVIF": 8, "JPEG2000": 15}
"""Bytes a pixel that libraries need which take a want of memory for damage."""

_ORIENTATION_TAG = 0x0112
# What Pillow raises for EXIF blocks that are damaged; none of it concerns the pixels.
_EXIF_ERRORS = (
    SyntaxError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    OSError,
    EOFError,
    OverflowError,
    struct.error,
)
_HEAD_BYTES = 64 << 10
_AVIF_MAX_PIXELS = 16384 * 16384  # libavif's own limit
_WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_ALPHA_MODES = ("RGBA", "RGBa", "LA", "La", "PA")


def read_still(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a picture with Pillow, the first frame of several; a `Reader`. Raises TooLarge, Undecodable."""
    plugin, name = _PLUGINS[media.format]
    module = importlib.import_module(f"PIL.{plugin}")
    if media.format == "avif":
        # A worker has one core; this setting is the only way to tell the codec.
        vars(module)["DEFAULT_MAX_THREADS"] = 1
    if media.format == "webp":
        # The library takes memory for the whole canvas, twice, when the file is merely opened.
        check_size(*_webp_size(content.head), limits, bytes_per_pixel=_WEBP_BYTES)
    with content.open() as stream, pixel_limit(limits):
        return _read(stream, name, longest_side_px, limits)


def _read(stream: BinaryIO, name: str, longest_side_px: int, limits: Limits) -> Raster:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(stream, formats=[name])
    except UnidentifiedImageError:
        if name == "AVIF":
            stream.seek(0)
            raise _no_avif(stream.read(_HEAD_BYTES), limits) from None
        if name != "TIFF":
            raise Undecodable(f"this is no readable {name} picture") from None
        return _read_odd_tiff(stream, limits)
    with picture:
        check_size(*picture.size, limits, bytes_per_pixel=_DECODER_BYTES.get(name, 0))
        picture.load()
        return raster_from_pillow(picture, longest_side_px)


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return width and height of a WebP (RFC 9649, sections 2.5 to 2.7), 0 x 0 where its first chunk is none of three."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return 0, 0


def _no_avif(head: bytes, limits: Limits) -> Undecodable:
    """Return why libavif refuses a file: its own size limit, which no option raises, or damage. Raises TooLarge."""
    place = head.find(b"ispe")
    width, height = (int.from_bytes(head[place + offset : place + offset + 4], "big") for offset in (8, 12))
    if place > 0:
        check_size(width, height, limits)
    if place > 0 and width * height > _AVIF_MAX_PIXELS:
        return Undecodable(
            f"{width} x {height} pixels are more than the AVIF decoder takes ({_AVIF_MAX_PIXELS // 10**6} megapixels)"
        )
    return Undecodable("this is no readable AVIF picture")


@contextmanager
def pixel_limit(limits: Limits) -> Iterator[None]:
    """Make Pillow refuse pictures, and frames inside them, over our own limit instead of its own; raises TooLarge."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = int(limits.max_megapixels * 1e6)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(
            f"the picture has more than {limits.max_megapixels:g} megapixels; "
            "raise the limit with --max-megapixels if it is genuine"
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def raster_from_pillow(picture: Image.Image, longest_side_px: int) -> Raster:
    """Return a loaded Pillow picture of any mode as grey, RGB or CMYK of 8 bits, transparency laid on white.

    Pictures at least twice as large as wanted are made smaller on the way, because their copies cost memory.
    """
    icc = picture.info.get("icc_profile")
    orientation, notes = _orientation(picture)
    if picture.mode in _WIDE_MODES:
        image, remark = eight_bits(np.asarray(picture))
        return Raster(image, Space.GREY, orientation, icc, notes=notes + remark)
    plain = _plain(picture)
    if picture.mode == "LAB":
        icc = None  # It has been used up: what comes out is sRGB.
    factor = max(plain.size) // max(1, longest_side_px)
    if factor > 1:
        plain = plain.reduce(factor)
    return Raster(np.asarray(plain), Space(plain.mode), orientation, icc, picture.size, notes=notes)


def _plain(picture: Image.Image) -> Image.Image:
    """Return the picture in mode L, RGB or CMYK."""
    if picture.mode == "LAB":
        return lab_to_srgb(picture)
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        return _on_white(picture)
    if picture.mode in tuple(Space):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    from PIL import Image

    grey = picture.mode in ("LA", "La", "L")
    whole = picture.convert("LA" if grey else "RGBA")
    paper = Image.new("L" if grey else "RGB", picture.size, "white")
    paper.paste(whole.convert(paper.mode), mask=whole.getchannel("A"))
    return paper


def _orientation(picture: Image.Image) -> tuple[int, tuple[str, ...]]:
    try:
        value = picture.getexif().get(_ORIENTATION_TAG, 1)
    except _EXIF_ERRORS as error:
        return 1, (f"damaged EXIF block: {error}",)
    return (value if isinstance(value, int) and 1 <= value <= 8 else 1), ()


def eight_bits(values: np.ndarray[Any, Any]) -> tuple[Pixel8, tuple[str, ...]]:
    """Return grey or RGB values of any number type as 8 bits, and notes.

    16 bits are cut to their upper 8. Floating point is taken as 0 to 1 where it stays in there; every other range is
    stretched from its own lowest to its highest value, which is noted.
    """
    if values.dtype == np.uint8:
        return values, ()
    if values.dtype == np.uint16:
        return (values >> 8).astype(np.uint8), ()
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    notes: tuple[str, ...] = ()
    if values.dtype.kind in "iu" and low >= 0 and high < 65536:
        # Pillow opens PNM and some TIFF of 16 bits as 32-bit integers.
        low, high = 0.0, 65535.0
    elif values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        notes = (f"values from {low:g} to {high:g} are shown as black to white",)
    scaled = (finite - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(scaled + 0.5, 0, 255).astype(np.uint8), notes


def _read_odd_tiff(stream: BinaryIO, limits: Limits) -> Raster:
    """Decode a TIFF of a kind that Pillow does not know (colour as floating point or 32 bits) with OpenCV."""
    import cv2
    from PIL import TiffImagePlugin

    stream.seek(0)
    directory = TiffImagePlugin.ImageFileDirectory_v2(stream.read(8))
    stream.seek(directory.next)
    directory.load(stream)
    width, height = directory.get(TiffImagePlugin.IMAGEWIDTH, 0), directory.get(TiffImagePlugin.IMAGELENGTH, 0)
    if not width or not height:
        raise Undecodable("this is no readable TIFF picture")
    check_size(width, height, limits)
    orientation = int(directory.get(_ORIENTATION_TAG, 1))
    stream.seek(0)
    values = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype.kind not in "uif":
        raise Undecodable("a TIFF of a kind that no decoder here knows")
    image, notes = eight_bits(values)
    if image.ndim == 2:
        return Raster(image, Space.GREY, orientation, notes=notes)
    return Raster(np.ascontiguousarray(image[:, :, 2::-1]), Space.RGB, orientation, notes=notes)
