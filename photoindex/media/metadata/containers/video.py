"""Size, duration and metadata of videos, read from the container's header."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from photoindex.media.attributes import value_or
from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.boxes import Box, box_content, boxes, collect_xmp, find_box, stream_size
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.guard import guarded

if TYPE_CHECKING:
    from av.container import InputContainer

_BOX_FORMATS = frozenset({"mov", "mp4", "m4v", "mj2", "3gp", "3g2"})
_TAG_LIMIT = 200
_MICROSECONDS = 1_000_000
# First two numbers of a track's display matrix -> EXIF orientation.
_ORIENTATION_OF_MATRIX = {(1, 0): 1, (0, 1): 6, (-1, 0): 3, (0, -1): 8}


def read_video(content: Content, format_name: str, blocks: Blocks) -> None:
    """Fill `blocks` from a video; no frame is decoded."""
    import av

    try:
        with content.open() as stream, av.open(stream, "r", metadata_errors="surrogateescape") as container:
            _read_container(container, blocks)
    except av.error.FFmpegError as error:
        # FFmpeg may report damage as a disk failure or lack of memory; real errors of our own stream pass through unchanged.
        raise ValueError(f"FFmpeg: {error.strerror}") from error
    if format_name in _BOX_FORMATS:
        with content.open() as stream, guarded(blocks.notes.append, "container: damaged boxes"):
            _read_boxes(stream, blocks)


def _read_container(container: InputContainer, blocks: Blocks) -> None:
    for name, value in value_or([], lambda: list(container.metadata.items()))[:_TAG_LIMIT]:
        blocks.tags[name.lower()] = clean_text(value)
    duration = value_or(None, lambda: container.duration)
    if duration is not None and duration > 0:
        blocks.duration_seconds = duration / _MICROSECONDS
    streams = container.streams.video
    if not streams:
        return
    video = value_or(streams[0], lambda: streams[_best_index(container)])
    codec = value_or(None, lambda: video.codec_context)
    if codec is not None:  # None: FFmpeg has no decoder for it
        blocks.set_size(*value_or((0, 0), lambda: (codec.width, codec.height)))
        blocks.tags["codec"] = value_or("", lambda: codec.name)
    if blocks.duration_seconds is None:
        seconds = value_or(None, lambda: float(video.duration * video.time_base))  # type: ignore[operator]
        blocks.duration_seconds = seconds if seconds and seconds > 0 else None


def _best_index(container: InputContainer) -> int:
    best = container.streams.best("video")
    return next((at for at, video in enumerate(container.streams.video) if best and video.index == best.index), 0)


def _read_boxes(stream: BinaryIO, blocks: Blocks) -> None:
    """Read what FFmpeg does not expose: XMP, and the rotation, which it reports only on decoded frames."""
    end = stream_size(stream)
    for box in boxes(stream, 0, end):
        collect_xmp(stream, box, blocks)
        if box.name == b"moov":
            for track in boxes(stream, box.start, box.end):
                if track.name == b"trak" and blocks.orientation is None:
                    blocks.orientation = _orientation_of_track(stream, track)
            packet = find_box(stream, (b"udta", b"XMP_"), box.start, box.end)
            if packet is not None:
                blocks.xmp.append(box_content(stream, packet))


def _orientation_of_track(stream: BinaryIO, track: Box) -> int | None:
    """Return a video track's rotation as an EXIF orientation (ISO 14496-12, 8.3.2), None for other tracks."""
    handler = find_box(stream, (b"mdia", b"hdlr"), track.start, track.end)
    header = find_box(stream, (b"tkhd",), track.start, track.end)
    if handler is None or header is None or box_content(stream, handler)[8:12] != b"vide":
        return None
    data = box_content(stream, header)
    a, b = struct.unpack_from(">ii", data, 52 if data[:1] == b"\1" else 40)
    return _ORIENTATION_OF_MATRIX.get((round(a / 65536), round(b / 65536)), 1)
