"""Decoding with Pillow: PNG, WebP, TIFF, GIF, BMP, AVIF, PSD, PNM and QOI."""

from __future__ import annotations

import importlib
import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from photoindex.decoder_memory import pixel_bytes
from photoindex.media.big_tiff import BIG_ENDIAN, CLASSIC_HEADER_BYTES, classic_directory, classic_header
from photoindex.media.content import Content
from photoindex.media.decode.colour import lab_to_srgb
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import Pixel8
from photoindex.media.identify.heif_coding import unsupported_coding
from photoindex.media.problems import TooLarge, Undecodable
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from PIL import Image, ImageFile

_PLUGINS: dict[str, tuple[str, str]] = {
    "png": ("PngImagePlugin", "PNG"),
    "webp": ("WebPImagePlugin", "WEBP"),
    "tiff": ("TiffImagePlugin", "TIFF"),
    "gif": ("GifImagePlugin", "GIF"),
    "bmp": ("BmpImagePlugin", "BMP"),
    "avif": ("AvifImagePlugin", "AVIF"),
    "psd": ("PsdImagePlugin", "PSD"),
    "pnm": ("PpmImagePlugin", "PPM"),
    "qoi": ("QoiImagePlugin", "QOI"),
}
"""Format -> Pillow's plugin module and Pillow's name of the format."""

_FLOAT_PIXEL_BYTES = 36
"""For pictures that OpenCV decodes, see `decoder_memory`."""
_ORIENTATION_TAG = 0x0112
# What Pillow raises for damaged EXIF blocks; the pixels are not affected.
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
_STRIP_ROWS = 256
_ALPHA_MODES = ("RGBA", "RGBa", "LA", "La", "PA")


def read_still(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a picture (or its first frame) with Pillow; a `Reader`. Raises TooLarge, Undecodable."""
    plugin, _ = _PLUGINS[media.format]
    module = importlib.import_module(f"PIL.{plugin}")
    if media.format == "avif":
        # A worker has one core; this setting is the only way to limit the codec's threads.
        vars(module)["DEFAULT_MAX_THREADS"] = 1
    if media.format == "webp":
        # libwebp allocates the whole canvas twice when a file is opened.
        check_size(*_webp_size(content.head), limits, bytes_per_pixel=pixel_bytes(media.format))
    with content.open() as stream, pixel_limit(limits):
        if content.head.startswith(BIG_ENDIAN):
            # Pillow reads only little-endian BigTIFF, OpenCV none with a colour profile.
            data = bytearray(stream.read())
            directory = classic_directory(stream, len(data) + len(data) % 2, with_pixels=True)
            data[:CLASSIC_HEADER_BYTES] = classic_header(stream, len(data) + len(data) % 2)
            data += bytes(len(data) % 2) + directory
            return _read(io.BytesIO(data), media.format, longest_side_px, limits)
        return _read(stream, media.format, longest_side_px, limits)


def _read(stream: BinaryIO, format_name: str, longest_side_px: int, limits: Limits) -> Raster:
    from PIL import AvifImagePlugin, Image, UnidentifiedImageError

    _, name = _PLUGINS[format_name]
    try:
        # Pillow looks at the major brand of an AVIF first, but libavif knows better.
        opened = AvifImagePlugin.AvifImageFile(stream) if name == "AVIF" else Image.open(stream, formats=[name])
        picture: ImageFile.ImageFile = opened
    except (UnidentifiedImageError, SyntaxError):
        if name == "AVIF":
            stream.seek(0)
            head = stream.read(_HEAD_BYTES)
            if reason := unsupported_coding(head):
                raise Undecodable(reason) from None
            raise _avif_refusal(head, limits) from None
        if name != "TIFF":
            raise Undecodable(f"not a readable {name} picture") from None
        return _read_unusual_tiff(stream, limits)
    with picture:
        already = format_name == "webp"  # `read_still` has checked it, and libwebp has half of the memory by now
        check_size(*picture.size, limits, bytes_per_pixel=0 if already else pixel_bytes(format_name))
        picture.load()
        return raster_from_pillow(picture, longest_side_px)


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return width and height of a WebP (RFC 9649, sections 2.5 to 2.7), 0 x 0 if the first chunk is unknown."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return 0, 0


def _avif_refusal(head: bytes, limits: Limits) -> Undecodable:
    """Return why libavif rejects a file: its fixed size limit, or damage. Raises TooLarge."""
    start = head.find(b"ispe")
    width, height = (int.from_bytes(head[start + offset : start + offset + 4], "big") for offset in (8, 12))
    if start > 0:
        check_size(width, height, limits)
    if start > 0 and width * height > _AVIF_MAX_PIXELS:
        return Undecodable(
            f"{width} x {height} pixels are over the AVIF decoder's fixed limit ({_AVIF_MAX_PIXELS // 10**6} megapixels); "
            "save the picture smaller or in another format"
        )
    return Undecodable("not a readable AVIF picture")


@contextmanager
def pixel_limit(limits: Limits) -> Iterator[None]:
    """Make Pillow apply our pixel limit instead of its own to pictures and their frames; raises TooLarge."""
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
    """Convert a loaded Pillow picture of any mode to 8-bit grey, RGB or CMYK, with transparency on white.

    Pictures at least twice as large as requested are reduced on the way to save memory.
    """
    icc = picture.info.get("icc_profile")
    orientation, notes = _orientation(picture)
    if picture.mode in _WIDE_MODES:
        image, scaling_notes = to_eight_bits(np.asarray(picture))
        return Raster(image, Space.GREY, orientation, icc, notes=notes + scaling_notes)
    plain = _plain(picture)
    if picture.mode == "LAB":
        icc = None  # the picture is sRGB now
    factor = max(plain.size) // max(1, longest_side_px)
    if factor > 1:
        plain = plain.reduce(factor)
    return Raster(np.asarray(plain), Space(plain.mode), orientation, icc, picture.size, notes=notes)


def _plain(picture: Image.Image) -> Image.Image:
    """Convert the picture to mode L, RGB or CMYK."""
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
    paper = Image.new("L" if grey else "RGB", picture.size, "white")
    # In strips, because a large picture and its copies in other modes would take twice as much memory.
    for top in range(0, picture.height, _STRIP_ROWS):
        box = (0, top, picture.width, min(top + _STRIP_ROWS, picture.height))
        strip = picture.crop(box).convert("LA" if grey else "RGBA")
        paper.paste(strip.convert(paper.mode), box, strip.getchannel("A"))
    return paper


def _orientation(picture: Image.Image) -> tuple[int, tuple[str, ...]]:
    try:
        value = picture.getexif().get(_ORIENTATION_TAG, 1)
    except _EXIF_ERRORS as error:
        return 1, (f"damaged EXIF block: {error}",)
    return (value if isinstance(value, int) and 1 <= value <= 8 else 1), ()


def to_eight_bits(values: np.ndarray[Any, Any]) -> tuple[Pixel8, tuple[str, ...]]:
    """Convert grey or RGB values of any number type to 8 bits; returns the picture and notes.

    16-bit values keep their upper 8 bits. Floating point within 0 to 1 is scaled by 255; any other range is stretched from
    its lowest to its highest value, with a note.
    """
    if values.dtype == np.uint8:
        return values, ()
    image = np.empty(values.shape, np.uint8)
    # In strips, because the steps between take up to four bytes a value each.
    strips = [slice(top, top + _STRIP_ROWS) for top in range(0, len(values), _STRIP_ROWS)]
    if values.dtype == np.uint16:
        for strip in strips:
            image[strip] = values[strip] >> 8
        return image, ()
    bounds = [(float(finite.min()), float(finite.max())) for finite in (_finite(values[strip]) for strip in strips)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    notes: tuple[str, ...] = ()
    if values.dtype.kind in "iu" and low >= 0 and high < 65536:
        # Pillow opens 16-bit PNM and some 16-bit TIFF as 32-bit integers.
        low, high = 0.0, 65535.0
    elif values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        notes = (f"pixel values from {low:g} to {high:g} are shown as black to white",)
    for strip in strips:
        scaled = (_finite(values[strip]) - low) * (255.0 / max(high - low, 1e-12))
        image[strip] = np.clip(scaled + 0.5, 0, 255)
    return image, notes


def _finite(values: np.ndarray[Any, Any]) -> NDArray[np.float32]:
    finite: NDArray[np.float32] = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return finite


def _read_unusual_tiff(stream: BinaryIO, limits: Limits) -> Raster:
    """Decode a TIFF variant that Pillow does not support (floating-point or 32-bit colour) with OpenCV."""
    import cv2
    from PIL import TiffImagePlugin

    stream.seek(0)
    directory = TiffImagePlugin.ImageFileDirectory_v2(stream.read(8))
    stream.seek(directory.next)
    directory.load(stream)
    width, height = directory.get(TiffImagePlugin.IMAGEWIDTH, 0), directory.get(TiffImagePlugin.IMAGELENGTH, 0)
    if not width or not height:
        raise Undecodable("not a readable TIFF picture")
    check_size(width, height, limits, bytes_per_pixel=_FLOAT_PIXEL_BYTES)
    orientation = int(directory.get(_ORIENTATION_TAG, 1))
    stream.seek(0)
    values = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype.kind not in "uif":
        raise Undecodable("no decoder supports this variant of TIFF")
    image, notes = to_eight_bits(values)
    if image.ndim == 2:
        return Raster(image, Space.GREY, orientation, notes=notes)
    return Raster(np.ascontiguousarray(image[:, :, 2::-1]), Space.RGB, orientation, notes=notes)
