"""What a container hands to the sources: where its metadata blocks lie and what it says of its own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

BLOCK_LIMIT_BYTES = 4 << 20
"""The largest XMP, IPTC or text block that is read; larger ones hold pictures, not facts."""


class Directory(StrEnum):
    """Which directory of EXIF 2.32 a TIFF structure begins with (Canon's CR3 splits them)."""

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
    """What was found in one container; readers fill it as they go, so that damage further on loses nothing.

    width, height: pixels as stored, or as shown where `upright`. orientation: the container's own, as an EXIF number.
    tags: what the container says outside EXIF, XMP and IPTC, under its own names in lower case.
    """

    width: int | None = None
    height: int | None = None
    upright: bool = False
    orientation: int | None = None
    duration_seconds: float | None = None
    exif: list[ExifBlock] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    streams: ExitStack = field(default_factory=ExitStack)

    def keep_open(self, stream: BinaryIO) -> BinaryIO:
        """Return `stream`, which stays open until `streams` is closed: EXIF blocks read from it later."""
        return self.streams.enter_context(stream)

    def set_size(self, width: int, height: int) -> None:
        """Keep the size in pixels unless one is known already or it is none."""
        if self.width is None and width > 0 and height > 0:
            self.width, self.height = width, height
