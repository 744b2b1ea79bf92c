"""Decoding any photo or video to upright sRGB pixels of the requested size."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from photoindex.media.content import Content
from photoindex.media.decode.bmp import read_bmp
from photoindex.media.decode.cicp import cicp_to_srgb
from photoindex.media.decode.colour import to_srgb
from photoindex.media.decode.heif import read_heif
from photoindex.media.decode.jpeg import read_jpeg
from photoindex.media.decode.jpeg2000 import read_jpeg2000
from photoindex.media.decode.jxl import read_jxl
from photoindex.media.decode.pillow import read_still
from photoindex.media.decode.png import read_png
from photoindex.media.decode.psd import read_psd
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
    (read_jpeg2000, frozenset({"jp2", "j2k"})),
    (read_png, frozenset({"png"})),
    (read_bmp, frozenset({"bmp"})),
    (read_psd, frozenset({"psd"})),
    (read_still, frozenset({"webp", "tiff", "gif", "avif", "pnm", "qoi"})),
)
"""Readers and their image formats; RAW and video have one reader each."""

_OUT_OF_MEMORY_MESSAGE = re.compile(r"(?:insufficient|out of) memory|memory allocation|allocate memory", re.IGNORECASE)
_MAX_NOTES = 8
_MAX_NOTE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded picture: `array` is uint8 [height, width, 3], sRGB, upright and C-contiguous.

    notes: remarks shown to the user, such as harmless damage or an ignored colour profile.
    """

    array: Pixel8
    notes: tuple[str, ...] = ()


def decode(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Pixels:
    """Decode a photo, or a representative frame of a video, to upright sRGB pixels.

    The longest side becomes `longest_side_px`; smaller pictures are not enlarged. The pixel count in the header is checked
    against `limits.max_megapixels` before anything is decoded.
    Raises MediaProblem for bad content (a truncated picture is Undecodable, not half a picture), OSError if the file must
    be opened and cannot be read. Orientation: EXIF 2.32, tag 0x0112.
    """
    if not content.size_bytes:
        raise Empty("the file is empty")
    reader = _reader(media)
    with _as_media_problem(media, limits), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raster = reader(content, media, longest_side_px, limits)
        image = shrink(raster.image, fitted(*raster.size, longest_side_px))
        if raster.code_points is not None:
            image = cicp_to_srgb(image, *raster.code_points)
        image, colour_notes = to_srgb(image, raster.space, raster.icc)
        array = np.ascontiguousarray(upright(image, raster.orientation))
    warned = tuple(str(warning.message) for warning in caught)
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
def _as_media_problem(media: MediaType, limits: Limits) -> Iterator[None]:
    """Convert whatever decoders raise on damaged content to a MediaProblem; disk errors pass through."""
    try:
        yield
    except MediaProblem:
        raise
    except MemoryError as error:
        raise OutOfMemory.under(limits.memory_mb) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if _OUT_OF_MEMORY_MESSAGE.search(str(error)):
            raise OutOfMemory.under(limits.memory_mb) from error
        reason = " ".join(str(error).split()) or type(error).__name__
        if "truncated" in reason.lower() and not reason.startswith("truncated"):
            reason = f"truncated: {reason}"
        raise Undecodable(f"the {media.format} cannot be decoded: {reason[:_MAX_NOTE_CHARACTERS]}") from error


def _tidy(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the notes without duplicates, each on one line, limited in length and number."""
    lines = dict.fromkeys(" ".join(note.split())[:_MAX_NOTE_CHARACTERS] for note in notes)
    return tuple(lines)[:_MAX_NOTES]
