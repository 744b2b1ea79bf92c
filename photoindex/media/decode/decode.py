"""The only way from bytes to pixels: upright, sRGB, no larger than needed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.cicp import cicp_to_srgb
from photoindex.media.decode.colour import to_srgb
from photoindex.media.decode.heif import read_heif
from photoindex.media.decode.jpeg import read_jpeg
from photoindex.media.decode.jxl import read_jxl
from photoindex.media.decode.pillow import read_still
from photoindex.media.decode.raster import Reader
from photoindex.media.decode.raw import read_raw
from photoindex.media.decode.scale import Pixel8, fitted, shrink, upright
from photoindex.media.decode.video import read_video
from photoindex.media.problems import Empty, MediaProblem, NotRecognised, OutOfMemory, Undecodable
from photoindex.types import Kind, Limits, MediaType

_READERS: tuple[tuple[Reader, frozenset[str]], ...] = (
    (read_jpeg, frozenset({"jpeg", "mpo"})),
    (read_heif, frozenset({"heic", "heif"})),
    (read_jxl, frozenset({"jxl"})),
    (read_still, frozenset({"png", "webp", "tiff", "gif", "bmp", "jp2", "j2k", "avif", "psd", "pnm", "qoi"})),
)
"""The reader of each image format; RAW and video have one each for all of theirs."""

_WANT_OF_MEMORY = re.compile(r"(?:insufficient|out of) memory|memory allocation|allocate memory", re.IGNORECASE)
_MAX_NOTES = 8
_MAX_NOTE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Pixels:
    """One picture as a person sees it: `array` is uint8 [height, width, 3], sRGB, upright and C-contiguous.

    `notes` are remarks for a person: damage that left all pixels there, a profile that was ignored.
    """

    array: Pixel8
    notes: tuple[str, ...] = ()


def decode(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Pixels:
    """Decode one photo, or a frame that stands for a video, to upright sRGB pixels.

    The longest side comes out as `longest_side_px`, or as it is where the picture is smaller; nothing is enlarged. The
    pixel count in the header is held against `limits.max_megapixels` before anything is decoded.
    Raises MediaProblem for whatever is wrong with the content (a truncated picture is Undecodable, not half a picture),
    OSError when the file behind a content that is not held cannot be read. Orientation: EXIF 2.32, tag 0x0112.
    """
    if not content.size_bytes:
        raise Empty("the file is empty")
    reader = _reader(media)
    with _problems_of(media), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        raster = reader(content, media, longest_side_px, limits)
        image = shrink(raster.image, fitted(*raster.size, longest_side_px))
        if raster.code_points is not None:
            image = cicp_to_srgb(image, *raster.code_points)
        image, colour_notes = to_srgb(image, raster.space, raster.icc)
        array = np.ascontiguousarray(upright(image, raster.orientation))
    warned = tuple(str(warning.message) for warning in heard)
    return Pixels(array, _tidy((*raster.notes, *colour_notes, *warned)))


def _reader(media: MediaType) -> Reader:
    if media.kind is Kind.RAW:
        return read_raw
    if media.kind is Kind.VIDEO:
        return read_video
    for reader, formats in _READERS:
        if media.format in formats:
            return reader
    raise NotRecognised(f"no reader for the format {media.format!r}")


@contextmanager
def _problems_of(media: MediaType) -> Iterator[None]:
    """Turn whatever decoders raise on damaged content into a MediaProblem; failures of the disk pass through."""
    try:
        yield
    except MediaProblem:
        raise
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if _WANT_OF_MEMORY.search(str(error)):
            raise OutOfMemory from error
        sentence = " ".join(str(error).split()) or type(error).__name__
        if "truncated" in sentence.lower() and not sentence.startswith("truncated"):
            sentence = f"truncated: {sentence}"
        raise Undecodable(f"the {media.format} cannot be decoded: {sentence[:_MAX_NOTE_CHARACTERS]}") from error


def _tidy(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Return each note once, on one line, shortened, and not too many of them."""
    lines = dict.fromkeys(" ".join(note.split())[:_MAX_NOTE_CHARACTERS] for note in notes)
    return tuple(lines)[:_MAX_NOTES]
