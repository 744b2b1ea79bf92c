"""The creation date of ASF (WMV) files, which FFmpeg does not expose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.videos.header_time import HEADER_TIME

_HEADER_BYTES = 64 << 10
# Advanced Systems Format 1.2, 3.2: after its GUID the file properties have a size, a file id, the file's size and the date.
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATE_AT = 16 + 8 + 16 + 8
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read_asf(stream: BinaryIO, blocks: Blocks) -> None:
    """Add the creation date: units of 100 ns since 1601, in UTC; 0 means unknown."""
    head = stream.read(_HEADER_BYTES)
    start = head.find(_FILE_PROPERTIES)
    date = head[start + _DATE_AT : start + _DATE_AT + 8] if start >= 0 else b""
    ticks = int.from_bytes(date, "little")
    if len(date) == 8 and ticks:
        created = _EPOCH + timedelta(microseconds=ticks // 10)
        blocks.tags.setdefault(HEADER_TIME, created.strftime("%Y-%m-%dT%H:%M:%SZ"))
