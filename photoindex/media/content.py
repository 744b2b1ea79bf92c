"""The bytes of one original, read once: digest, head and, unless it is too large, the content itself."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from typing import BinaryIO

from photoindex.media.identify.kind import sniff
from photoindex.media.problems import ChangedWhileReading, NotRecognised
from photoindex.types import Kind

HEAD_BYTES = 64 << 10
VIDEO_HOLD_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """One original as it was while it was read.

    digest: BLAKE3 of all bytes, 32 bytes. mtime_ns: modification time in ns since 1970.
    head: the first 64 KiB (all, when the file is smaller). data: all bytes, None for a file too large to hold.
    """

    path: bytes
    digest: bytes
    size_bytes: int
    mtime_ns: int
    head: bytes
    data: bytes | None

    def open(self) -> BinaryIO:
        """Return a new binary stream over the content; for a held content no file is opened. Raises OSError."""
        if self.data is not None:
            return io.BytesIO(self.data)
        return open(self.path, "rb")


def read_content(path: bytes, *, hold_bytes: int = 512 << 20) -> Content:
    """Read the file at `path` once, read-only, and return its content and BLAKE3 digest.

    Files over `hold_bytes`, and videos over 64 MiB, are hashed in chunks and not held.
    Raises OSError, NotRecognised (not a regular file), ChangedWhileReading (it grew or was written to meanwhile).
    """
    # O_NONBLOCK: opening a FIFO would otherwise wait for its writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise NotRecognised("not a regular file")
        content = _read(descriptor, path, before, hold_bytes)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if content.size_bytes != before.st_size or (after.st_size, after.st_mtime_ns) != (
        before.st_size,
        before.st_mtime_ns,
    ):
        raise ChangedWhileReading("the file changed while it was read; scan again when it is complete")
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
    # A short read is allowed (network file systems, signals, 2 GiB); one byte too many shows a file that grows.
    parts = [data]
    total = len(data)
    while total <= size and (part := os.read(descriptor, size + 1 - total)):
        parts.append(part)
        total += len(part)
    return b"".join(parts)
