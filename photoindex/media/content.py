"""Reading one original once: digest, first bytes and, unless the file is too large, all of its bytes."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import BinaryIO

from photoindex.decoder_memory import HELD_FILE_BYTES
from photoindex.file_access import NotRegularFile, open_descriptor, open_file
from photoindex.media.identify.kind import sniff
from photoindex.media.problems import ChangedWhileReading, NotRecognised
from photoindex.types import Kind

HEAD_BYTES = 64 << 10
VIDEO_HOLD_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """Snapshot of one original file.

    digest: BLAKE3 of all bytes, 32 bytes. mtime_ns: modification time in ns since 1970.
    head: the first 64 KiB (or the whole file if smaller). data: all bytes, None for a file too large to keep in memory.
    """

    path: bytes
    digest: bytes
    size_bytes: int
    mtime_ns: int
    head: bytes
    data: bytes | None

    def open(self) -> BinaryIO:
        """Return a new binary stream over the content; opens the file only when `data` is None. Raises OSError."""
        if self.data is not None:
            return io.BytesIO(self.data)
        return open_file(self.path)


def read_content(path: bytes, *, hold_bytes: int = HELD_FILE_BYTES) -> Content:
    """Read the file at `path` once, read-only, and return its content and BLAKE3 digest.

    Files over `hold_bytes`, and videos over 64 MiB, are hashed in chunks and not kept in memory.
    Raises OSError, NotRecognised (not a regular file), ChangedWhileReading (the file was modified during the read).
    """
    try:
        descriptor = open_descriptor(path)
    except (NotRegularFile, IsADirectoryError) as error:
        raise NotRecognised("not a regular file") from error
    try:
        before = os.fstat(descriptor)
        content = _read(descriptor, path, before, hold_bytes)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if content.size_bytes != before.st_size or (after.st_size, after.st_mtime_ns) != (
        before.st_size,
        before.st_mtime_ns,
    ):
        raise ChangedWhileReading("the file changed while it was being read; scan again once it is complete")
    return content


def _read(descriptor: int, path: bytes, status: os.stat_result, hold_bytes: int) -> Content:
    from blake3 import blake3

    size = status.st_size
    hold = size <= hold_bytes
    if hold and size > VIDEO_HOLD_BYTES:
        media = sniff(os.pread(descriptor, HEAD_BYTES, 0))
        hold = media is None or media.kind is not Kind.VIDEO
    if hold:
        data = _read_all(descriptor, size)
        return Content(path, blake3(data).digest(), len(data), status.st_mtime_ns, data[:HEAD_BYTES], data)
    hasher = blake3()
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    head = b""
    total = 0
    while count := os.readv(descriptor, [buffer]):
        if total < HEAD_BYTES:
            head += bytes(view[: min(count, HEAD_BYTES - total)])
        hasher.update(view[:count])
        total += count
        if total > size:
            break
    return Content(path, hasher.digest(), total, status.st_mtime_ns, head, None)


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    # Short reads are normal (network file systems, signals, 2 GiB limit); one extra byte means the file is growing.
    parts = [data]
    total = len(data)
    while total <= size and (part := os.read(descriptor, size + 1 - total)):
        parts.append(part)
        total += len(part)
    return b"".join(parts)
