"""Decoding RAW files with LibRaw: the embedded preview if it is large enough, else the sensor data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.jpeg import jpeg_orientation, jpeg_raster, jpeg_size
from photoindex.media.decode.raster import Raster, Space, check_size
from photoindex.media.decode.scale import Pixel8
from photoindex.media.problems import MediaProblem, Undecodable
from photoindex.media.raw_geometry import crop, is_turned, orientation, stored_size
from photoindex.media.truncation import blocks_without_jpeg, missing_bytes
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    import rawpy

_TRANSPOSED = (5, 6, 7, 8)
_HALF_SIZE_BYTES, _FULL_SIZE_BYTES = 6, 16
_LEAST_BITS_PER_PIXEL = 1 / 32
"""Sensor data is noisy: of the strongly compressed RAW files at hand the smallest has 0.4 bits a pixel."""
_SRGB_GAMMA = (2.4, 12.92)  # power and slope of IEC 61966-2-1


def read_raw(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a RAW; a `Reader`. Raises TooLarge, OutOfMemory, MemoryError, Undecodable.

    An embedded preview of at least `longest_side_px` is used as it is. Otherwise the sensor data is developed with the
    camera's white balance and cropped as the camera means, at half size if that is enough. If the sensor data is missing
    or LibRaw cannot read it (a newer camera), a preview of at least half the requested size is used, with a note.
    """
    # OpenMP in LibRaw would start a thread per core; it reads this variable when the library is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import rawpy

    with content.open() as stream, _as_media_problem(media), rawpy.RawPy() as raw:
        raw.open_buffer(stream)
        preview = _preview(raw, longest_side_px, limits)
        missing = missing_bytes(content)
        if preview is not None and max(preview.size) >= longest_side_px:
            note = f"truncated: {missing} bytes of the sensor data are missing; the preview is complete"
            return _with_note(preview, note) if missing else preview
        try:
            _check_sensor_data(raw.sizes, content, media.format, missing)
            return _develop(raw, longest_side_px, limits)
        except (rawpy.LibRawError, Undecodable) as error:
            if preview is None or max(preview.size) < longest_side_px / 2:
                raise
            reason = f"the sensor data cannot be read ({_message(error)})"
            return _with_note(preview, f"{reason}; using the camera's small preview instead")


@contextmanager
def _as_media_problem(media: MediaType) -> Iterator[None]:
    """Convert LibRaw's errors to media problems."""
    import rawpy

    try:
        yield
    except (rawpy.LibRawUnsufficientMemoryError, rawpy.LibRawMemPoolOverflowError) as error:
        raise MemoryError from error
    except rawpy.LibRawIOError as error:
        raise Undecodable(f"truncated: the file ends before the end of the sensor data ({_message(error)})") from error
    except rawpy.LibRawError as error:
        raise Undecodable(f"LibRaw cannot read this {media.format}: {_message(error)}") from error


def _with_note(raster: Raster, note: str) -> Raster:
    return replace(raster, notes=(*raster.notes, note))


def _message(error: Exception) -> str:
    text = error.args[0] if error.args else type(error).__name__
    return text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)


def _preview(raw: rawpy.RawPy, longest_side_px: int, limits: Limits) -> Raster | None:
    """Return the largest embedded preview, None if there is none that can be read."""
    import rawpy

    try:
        thumbnail = raw.extract_thumb()
    except (rawpy.LibRawNonFatalError, rawpy.LibRawDataError, rawpy.LibRawIOError, rawpy.NotSupportedError):
        return None
    if thumbnail.format is rawpy.ThumbFormat.BITMAP:
        # LibRaw does not rotate bitmap thumbnails.
        image = np.ascontiguousarray(thumbnail.data)
        return Raster(image, orientation=orientation(raw.sizes))
    data = bytes(thumbnail.data)
    try:
        picture = jpeg_raster(data, longest_side_px, limits)
    except MediaProblem:
        return None
    return replace(picture, orientation=_preview_orientation(raw.sizes, data))


def _preview_orientation(sizes: rawpy.ImageSizes, data: bytes) -> int:
    """Return the orientation still to be applied to a JPEG preview: some have one, some do not, some are upright already.

    LibRaw adds an EXIF block with the RAW's orientation to a preview that has none, so only the aspect ratio shows
    whether the preview was already rotated.
    """
    turned, own = orientation(sizes), jpeg_orientation(data)
    if turned in _TRANSPOSED:
        width, height = jpeg_size(data)
        stored_width, stored_height = stored_size(sizes)
        if (width < height) != (stored_width < stored_height):
            return 1
        return own if own in _TRANSPOSED else turned
    return own if own is not None else turned


def _develop(raw: rawpy.RawPy, longest_side_px: int, limits: Limits) -> Raster:
    import rawpy

    sizes = raw.sizes
    check_size(sizes.raw_width, sizes.raw_height, limits)
    half_size = max(stored_size(sizes)) // 2 >= longest_side_px
    decoder_bytes = _HALF_SIZE_BYTES if half_size else _FULL_SIZE_BYTES
    check_size(sizes.iwidth, sizes.iheight, limits, bytes_per_pixel=decoder_bytes)
    raw.unpack()
    image = raw.postprocess(
        half_size=half_size,
        use_camera_wb=True,
        output_color=rawpy.ColorSpace.sRGB,
        output_bps=8,
        gamma=_SRGB_GAMMA,
        user_flip=0,
    )
    if not image.any():
        # Even a picture taken with the lens cap on has noise: the header declares sensor data, but there is none.
        raise Undecodable("the RAW file contains no picture: every pixel is black")
    image = _cropped(image, sizes)
    if image.shape[2] == 1:
        return Raster(image[..., 0], Space.GREY, orientation(sizes))
    return Raster(image, orientation=orientation(sizes))


def _check_sensor_data(sizes: rawpy.ImageSizes, content: Content, format_name: str, missing: int) -> None:
    """Raise Undecodable if the sensor data that the header declares is missing, as a whole or in part.

    For such files LibRaw may report no error, and give pixels of whatever was in memory before.
    """
    if missing:
        raise Undecodable(f"truncated: {missing} bytes of the sensor data are missing")
    if content.size_bytes * 8 < sizes.raw_width * sizes.raw_height * _LEAST_BITS_PER_PIXEL:
        declared = f"{sizes.raw_width} x {sizes.raw_height} pixels"
        raise Undecodable(f"the RAW file contains no picture: {content.size_bytes:,} bytes cannot hold {declared}")
    blank = blocks_without_jpeg(content) if format_name == "dng" else 0
    if blank:
        raise Undecodable(f"damaged: sensor data that should be JPEG is not, in this many blocks: {blank}")


def _cropped(image: Pixel8, sizes: rawpy.ImageSizes) -> Pixel8:
    """Return the camera's crop of the developed visible area, which may be at half size or stretched to square pixels."""
    if is_turned(sizes):
        return image
    height, width = image.shape[:2]
    horizontal, vertical = width / sizes.width, height / sizes.height
    left, top, wide, high = crop(sizes)
    return image[
        round(top * vertical) : round((top + high) * vertical),
        round(left * horizontal) : round((left + wide) * horizontal),
    ]
