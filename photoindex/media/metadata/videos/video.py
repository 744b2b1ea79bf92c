"""Size, duration and metadata of videos, read from the container's header."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from photoindex.media.attributes import value_or
from photoindex.media.content import Content
from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.findings import clean_text
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.videos.asf import read_asf
from photoindex.media.metadata.videos.camcorder import read_avchd, read_dv
from photoindex.media.metadata.videos.quicktime import read_quicktime
from photoindex.media.metadata.videos.riff import read_avi

if TYPE_CHECKING:
    from av.container import InputContainer

_TAG_LIMIT = 200
_MICROSECONDS = 1_000_000
_OF_PNG_ALONE = "time"

READERS: dict[str, Callable[[BinaryIO, Blocks], None]] = {
    **dict.fromkeys(("mov", "mp4", "m4v", "mj2", "3gp", "3g2"), read_quicktime),
    "avi": read_avi,
    "mts": read_avchd,
    "dv": read_dv,
    "wmv": read_asf,
}
"""Format -> reader of what FFmpeg does not expose."""


def read_video(content: Content, format_name: str, blocks: Blocks) -> None:
    """Fill `blocks` from a video; no frame is decoded."""
    with guarded(blocks.notes.append, f"container: damaged {format_name}"):
        _read_with_ffmpeg(content, blocks)
    if format_name in READERS:
        with content.open() as stream, guarded(blocks.notes.append, f"container: damaged parts of {format_name}"):
            READERS[format_name](stream, blocks)


def _read_with_ffmpeg(content: Content, blocks: Blocks) -> None:
    import av

    try:
        with content.open() as stream, av.open(stream, "r", metadata_errors="surrogateescape") as container:
            _read_container(container, blocks)
    except av.error.FFmpegError as error:
        # FFmpeg may report damage as a disk failure or lack of memory; real errors of our own stream pass through unchanged.
        raise ValueError(f"FFmpeg: {error.strerror}") from error


def _read_container(container: InputContainer, blocks: Blocks) -> None:
    for name, value in value_or([], lambda: list(container.metadata.items()))[:_TAG_LIMIT]:
        blocks.tags[name.lower()] = clean_text(value)
    blocks.tags.pop(_OF_PNG_ALONE, None)  # in an FLV it is the position of a cue point
    blocks.set_duration((value_or(None, lambda: container.duration) or 0) / _MICROSECONDS)
    streams = container.streams.video
    if not streams:
        return
    video = value_or(streams[0], lambda: streams[_best_index(container)])
    codec = value_or(None, lambda: video.codec_context)
    if codec is not None:  # None: FFmpeg has no decoder for it
        blocks.set_size(*value_or((0, 0), lambda: (codec.width, codec.height)))
        blocks.tags["codec"] = value_or("", lambda: codec.name)
    blocks.set_duration(value_or(0.0, lambda: float(video.duration * video.time_base)))  # type: ignore[operator]


def _best_index(container: InputContainer) -> int:
    best = container.streams.best("video")
    return next((at for at, video in enumerate(container.streams.video) if best and video.index == best.index), 0)
