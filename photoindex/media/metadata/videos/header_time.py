"""Deciding whether the time in a container's header is UTC or the camera's wall clock."""

from __future__ import annotations

from photoindex.media.metadata.blocks import Blocks

HEADER_TIME, WALL_TIME = "creation_time", "datetimeoriginal"
"""Names of the tags: FFmpeg's name of the header's time, and a time by the camera's clock."""

EPOCH_YEARS = ("1904", "1970")
"""Years in which the clocks of containers begin; a header with one of them has no time."""


def take_header_time_as_local(blocks: Blocks) -> None:
    """Turn the header's time into wall time, unless a better wall time is known or the header has none."""
    text = blocks.tags.get(HEADER_TIME, "")
    if text and not text.startswith(EPOCH_YEARS):
        del blocks.tags[HEADER_TIME]
        blocks.tags.setdefault(WALL_TIME, text.removesuffix("Z"))
