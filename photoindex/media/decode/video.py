"""Decoding one representative frame of a video."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from photoindex.media.attributes import value_or
from photoindex.media.content import Content
from photoindex.media.decode.raster import Raster, check_size
from photoindex.media.decode.scale import Pixel8, fitted
from photoindex.media.problems import Undecodable
from photoindex.media.truncation import missing_bytes
from photoindex.types import Limits, MediaType

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_FIRST_SECONDS = 1.0
_LATER_PARTS = (0.1, 0.25, 0.5, 0.75)
_MAX_FRAMES_PER_TRY = 100
"""Frames decoded from a key frame to reach a position; bounds the time for files with few key frames."""
_PLAIN_DEVIATION = 10.0
_HD_HEIGHT = 720
_UNSPECIFIED = 2  # colour primaries, transfer or matrix (ITU-T H.273)
_DECODER_BYTES = 8
_MICROSECONDS = 1_000_000
_MIN_PIXEL_RATIO = 0.25
_MAX_SECONDS = 1e9
"""Damaged headers give durations beyond the range of seeking."""
_MATRIX = struct.Struct("<9i")
_ORIENTATION_OF_MATRIX = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""Signs of a, b, c, d of a display matrix (ISO 14496-12, 6.2.2) -> EXIF orientation."""
_ORIENTATION_OF_ROTATION = {0: 1, 90: 8, 180: 3, 270: 6}
"""Degrees counter-clockwise -> EXIF orientation."""


_DEMUXERS = {
    "mov": "mov",
    "mp4": "mov",
    "m4v": "mov",
    "3gp": "mov",
    "3g2": "mov",
    "mj2": "mov",
    "mkv": "matroska",
    "webm": "matroska",
    "avi": "avi",
    "mts": "mpegts",
    "wmv": "asf",
    "flv": "flv",
    "ogv": "ogg",
    "dv": "dv",
}
"""Format -> FFmpeg demuxer, fixed so that no file can act as a playlist; MPEG has two demuxers and is probed."""


@dataclass(frozen=True, slots=True)
class _Frame:
    image: Pixel8
    orientation: int
    code_points: tuple[int, int] | None

    @property
    def score(self) -> float:
        """Standard deviation of the grey values; close to zero for black and plain frames."""
        return float(self.image[::4, ::4].mean(axis=2).std())


def read_video(content: Content, media: MediaType, longest_side_px: int, limits: Limits) -> Raster:
    """Decode a frame that is neither black nor plain; a `Reader`. Raises TooLarge, OutOfMemory, MemoryError, Undecodable.

    Tries the frames at 1 s, 10 %, 25 %, 50 % and 75 %; returns the first that is not plain, or else the best.
    """
    import av

    with content.open() as stream:
        try:
            with av.open(stream, "r", format=_DEMUXERS.get(media.format), metadata_errors="replace") as container:
                raster = _poster(container, longest_side_px, limits)
        except av.error.MemoryError as error:
            raise MemoryError from error
        except av.error.FFmpegError as error:
            raise Undecodable(f"the video cannot be read: {error.strerror}") from error
    missing = missing_bytes(content)
    note = (f"truncated: {missing} bytes of the video are missing",) if missing else ()
    return replace(raster, notes=(*raster.notes, *note))


def _poster(container: InputContainer, longest_side_px: int, limits: Limits) -> Raster:
    stream = next((one for one in container.streams.video if not _is_cover(one)), None)
    if stream is None:
        raise Undecodable("the file has no video stream, only audio")
    codec = stream.codec_context
    if codec is None:
        raise Undecodable("no decoder supports the video's codec")
    value_or(None, partial(setattr, codec, "thread_count", 1))  # refused where the codec is open already
    width, height = value_or((0, 0), lambda: (codec.width, codec.height))
    check_size(width, height, limits, bytes_per_pixel=_DECODER_BYTES)
    best: _Frame | None = None
    notes: tuple[str, ...] = ()
    for frame in _candidates(container, stream):
        check_size(frame.width, frame.height, limits)
        points = value_or(None, partial(_code_points, frame))
        image, notes = _pixels(frame, stream, longest_side_px)
        candidate = _Frame(image, value_or(1, partial(_orientation, frame)), points)
        if best is None or candidate.score > best.score:
            best = candidate
        if best.score >= _PLAIN_DEVIATION:
            break
    if best is None:
        raise Undecodable("the video has no frame that can be decoded")
    if best.score < _PLAIN_DEVIATION:
        notes = (*notes, "all sampled frames are nearly plain")
    return Raster(best.image, orientation=best.orientation, code_points=best.code_points, notes=notes)


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    # A flag that PyAV does not know raises.
    return bool(value_or(0, lambda: stream.disposition & Disposition.attached_pic))


def _candidates(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield candidate frames: first the key frame before each position, which is cheap, then the frame at each position."""
    duration = _duration_seconds(container, stream)
    positions = [min(_FIRST_SECONDS, duration / 2), *(duration * part for part in _LATER_PARTS)] if duration else [0.0]
    seen: set[int | None] = set()
    for exact in (False, True):
        for position in positions:
            frame = _frame_at(container, stream, position, exact=exact)
            if frame is None:
                continue
            time = value_or(None, lambda frame=frame: frame.pts)  # type: ignore[misc]
            if time not in seen:
                seen.add(time)
                yield frame


def _duration_seconds(container: InputContainer, stream: VideoStream) -> float:
    seconds = value_or(None, lambda: float(stream.duration * stream.time_base))  # type: ignore[operator]
    if not seconds:
        seconds = value_or(None, lambda: container.duration / _MICROSECONDS)  # type: ignore[operator]
    return seconds if seconds and 0 < seconds < _MAX_SECONDS else 0.0


def _frame_at(container: InputContainer, stream: VideoStream, position: float, *, exact: bool) -> VideoFrame | None:
    """Return the key frame before `position` seconds, or with `exact` the frame there; None if none can be decoded."""
    from av.error import FFmpegError
    from av.error import MemoryError as NoMemoryError

    found: VideoFrame | None = None
    try:
        with suppress(FFmpegError, ValueError):  # a file without an index is decoded from where it is
            container.seek(int(position * _MICROSECONDS), backward=True)
        for count, frame in enumerate(container.decode(stream)):
            found = frame
            time = value_or(None, lambda frame=frame: frame.time)  # type: ignore[misc]
            if not exact or time is None or time >= position or count >= _MAX_FRAMES_PER_TRY:
                break
    except NoMemoryError:
        raise
    except FFmpegError:
        # A damaged section: use the last frame decoded before it, if any.
        return found
    return found


def _code_points(frame: VideoFrame) -> tuple[int, int]:
    return int(frame.color_primaries), int(frame.color_trc)


def _pixels(frame: VideoFrame, stream: VideoStream, longest_side_px: int) -> tuple[Pixel8, tuple[str, ...]]:
    """Return the frame as RGB with square pixels, scaled down during conversion, and notes."""
    from av.error import FFmpegError
    from av.error import MemoryError as NoMemoryError

    ratio = value_or(1.0, lambda: float(stream.sample_aspect_ratio or 1))
    shown = round(frame.width * ratio) if _MIN_PIXEL_RATIO <= ratio <= 1 / _MIN_PIXEL_RATIO else frame.width
    width, height = fitted(max(1, shown), frame.height, longest_side_px)
    # Players assume BT.709 for HD without a colour matrix; FFmpeg's converter would assume BT.601.
    given = value_or(_UNSPECIFIED, lambda: int(frame.colorspace))
    matrix = "ITU709" if given == _UNSPECIFIED and frame.height >= _HD_HEIGHT else None
    convert = partial(frame.reformat, width, height, "rgb24", interpolation="AREA", threads=1)
    try:
        return np.asarray(convert(src_colorspace=matrix).to_ndarray(), np.uint8), ()
    except NoMemoryError:
        raise
    except FFmpegError:
        # The converter knows few colour matrices (H.273, table 4), and two ranges.
        frame.colorspace, frame.color_range = _UNSPECIFIED, 0
        small = convert(src_colorspace="ITU709" if frame.height >= _HD_HEIGHT else None)
        note = f"the video's colour matrix or range (matrix {given}) is not supported; colours may be wrong"
        return np.asarray(small.to_ndarray(), np.uint8), (note,)


def _orientation(frame: VideoFrame) -> int:
    matrix = value_or(None, lambda: frame.side_data.get("DISPLAYMATRIX"))
    if matrix is None:
        # Also frames with data of a kind that PyAV does not know, such as the EXIF block of each frame of a Panasonic movie.
        return _ORIENTATION_OF_ROTATION.get(round(frame.rotation / 90) * 90 % 360, 1)
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(cast("SideData", matrix))[: _MATRIX.size])
    largest = max(map(abs, (a, b, c, d))) or 1
    signs = tuple(round(value / largest) for value in (a, b, c, d))
    return _ORIENTATION_OF_MATRIX.get(signs, 1)
