"""The raw metadata blocks and native tags found in one container."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

BLOCK_LIMIT_BYTES = 4 << 20
"""The largest XMP, IPTC or text block that is read; larger ones contain pictures, not facts."""


_LONGEST_SECONDS = 366 * 86400


class Directory(StrEnum):
    """The EXIF 2.32 directory that a TIFF structure begins with (Canon CR3 stores them separately)."""

    IMAGE = "image"
    EXIF = "exif"
    GPS = "gps"


@dataclass(frozen=True, slots=True)
class ExifBlock:
    """A TIFF structure that begins at byte `start` of `stream`."""

    stream: BinaryIO
    start: int = 0
    first: Directory = Directory.IMAGE


@dataclass(slots=True)
class Blocks:
    """Blocks found in one container; readers fill it as they go, so that later damage does not lose earlier blocks.

    width, height: pixels as stored, or as displayed if `upright`. orientation: the container's own, as an EXIF value.
    has_maker_note: the EXIF blocks hold one. tags: the container's native tags outside EXIF, XMP and IPTC; keys in lower case.
    """

    width: int | None = None
    height: int | None = None
    upright: bool = False
    orientation: int | None = None
    duration_seconds: float | None = None
    has_maker_note: bool = False
    exif: list[ExifBlock] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    streams: ExitStack = field(default_factory=ExitStack)

    def keep_open(self, stream: BinaryIO) -> BinaryIO:
        """Return `stream`, which stays open until `streams` is closed, because EXIF blocks read from it later."""
        return self.streams.enter_context(stream)

    def set_duration(self, seconds: float) -> None:
        """Set the duration in seconds unless one is already set or it is not within a year: damaged headers say anything."""
        if self.duration_seconds is None and 0 < seconds <= _LONGEST_SECONDS:
            self.duration_seconds = seconds

    def set_size(self, width: int, height: int) -> None:
        """Set the size in pixels unless one is already set or it is not positive."""
        if self.width is None and width > 0 and height > 0:
            self.width, self.height = width, height
