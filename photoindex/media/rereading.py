"""Reads a file once more, from its disk, and compares its bytes with a known digest."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from photoindex.file_access import NotRegularFile, open_descriptor

_BLOCK_BYTES = 8 << 20


class Outcome(StrEnum):
    """What reading showed. changed: size or time differ from what is known. damaged: both are equal, the bytes are not."""

    GOOD = "good"
    CHANGED = "changed"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file: its size, time and BLAKE3 digest (32 bytes)."""

    size_bytes: int
    mtime_ns: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Reread:
    """The outcome, the digest of the bytes that were read, size and time of the file, and why it is not good.

    inode: device and number, which two names of one file share. None where it could not be opened.
    """

    outcome: Outcome
    digest: bytes | None = None
    size_bytes: int | None = None
    mtime_ns: int | None = None
    detail: str = ""
    inode: tuple[int, int] | None = None
    read_bytes: int = 0


class Abandoned(Exception):
    """Reading was given up because the caller is ending."""


def reread(path: bytes, known: Known, *, abandoned: Callable[[], bool] = lambda: False) -> Reread:
    """Read the whole file at `path`, past the kernel's cache, and compare it with what is known of it.

    A file of another size or time is not read. Raises Abandoned between two blocks once `abandoned` returns true.
    """
    try:
        descriptor = open_descriptor(path)
    except (FileNotFoundError, NotADirectoryError):
        return Reread(Outcome.MISSING, detail="there is no such file")
    except (NotRegularFile, IsADirectoryError):
        return Reread(Outcome.CHANGED, detail="it is no longer a regular file")
    except OSError as error:
        return Reread(Outcome.UNREADABLE, detail=_reason(error))
    try:
        return _compare(descriptor, known, abandoned)
    finally:
        os.close(descriptor)


def _compare(descriptor: int, known: Known, abandoned: Callable[[], bool]) -> Reread:
    before = os.fstat(descriptor)
    inode = (before.st_dev, before.st_ino)
    if not _is_as_known(before, known):
        return _changed(before)
    try:
        digest, count = _digest(descriptor, known.size_bytes, abandoned)
        after = os.fstat(descriptor)
    except OSError as error:
        return Reread(Outcome.UNREADABLE, None, before.st_size, before.st_mtime_ns, detail=_reason(error), inode=inode)
    if not _is_as_known(after, known):
        return _changed(after)
    good = digest == known.digest
    detail = "" if good else "its bytes differ from those that were read first, though its size and time do not"
    outcome = Outcome.GOOD if good else Outcome.DAMAGED
    return Reread(outcome, digest, after.st_size, after.st_mtime_ns, detail, inode, count)


def _is_as_known(status: os.stat_result, known: Known) -> bool:
    return (status.st_size, status.st_mtime_ns) == (known.size_bytes, known.mtime_ns)


def _changed(status: os.stat_result) -> Reread:
    detail = "its size or time differs from the last scan"
    inode = (status.st_dev, status.st_ino)
    return Reread(Outcome.CHANGED, None, status.st_size, status.st_mtime_ns, detail, inode)


def _digest(descriptor: int, size_bytes: int, abandoned: Callable[[], bool]) -> tuple[bytes, int]:
    from blake3 import blake3

    hasher = blake3()
    view = memoryview(bytearray(min(_BLOCK_BYTES, size_bytes + 1)))
    total = 0
    # What the kernel still has in memory says nothing about the disk.
    _advise(descriptor, "DONTNEED")
    _advise(descriptor, "SEQUENTIAL")
    while count := os.readv(descriptor, [view]):
        hasher.update(view[:count])
        total += count
        if total > size_bytes:
            break
        if abandoned():
            raise Abandoned
    _advise(descriptor, "DONTNEED")
    return hasher.digest(), total


def _advise(descriptor: int, advice: str) -> None:
    """Tell the kernel how the file is read, where it listens."""
    value = getattr(os, f"POSIX_FADV_{advice}", None)
    if value is not None:
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, value)


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
