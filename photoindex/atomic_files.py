"""Files that are there whole or not at all: written under another name, synced to the disk, renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from photoindex.permissions import apply_users_umask

_AT_FDCWD, _RENAME_NOREPLACE, _RENAME_EXCHANGE = -100, 1, 2
"""Of linux/fcntl.h and linux/fs.h."""


@contextmanager
def atomic_file(
    path: Path, *, temporary: Path | None = None, durable: bool = True, asked_for: bool = False
) -> Iterator[BinaryIO]:
    """Give a new binary file that becomes `path` when the block ends, in place of an earlier file of that name.

    If the block raises, `path` is as it was and nothing is left behind. temporary: the name until then, on the same file
    system; by default a hidden one beside `path`. durable: whether the file has to outlive a loss of power. asked_for: a
    person named `path`, so that the file gets the mode of their umask. Raises OSError.
    """
    unfinished = temporary or path.with_name(f".{path.name[:100]}.{os.getpid()}.unfinished")
    try:
        # Exclusively: in a folder that others may write to, a link of that name would lead the bytes elsewhere.
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "xb") as file:
            if asked_for:
                apply_users_umask(file.fileno())
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(unfinished, path)
        if durable:
            sync_folder(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def publish(finished: Path, path: Path) -> None:
    """Sync a file that somebody else has written, such as SQLite, and rename it to `path`. Raises OSError."""
    descriptor = os.open(finished, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(finished, path)
    sync_folder(path.parent)


def exchange(one: Path, other: Path) -> bool:
    """Swap two entries of one file system in one step; return False where the system cannot do that. Raises OSError."""
    return _renamed(os.fsencode(one), os.fsencode(other), _RENAME_EXCHANGE)


def rename_new(one: bytes, other: bytes) -> None:
    """Rename `one` to `other`, which must not exist. Raises OSError: FileExistsError, also where that is found out first."""
    if not _renamed(one, other, _RENAME_NOREPLACE):
        if os.path.lexists(other):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), other)
        os.rename(one, other)


def _renamed(one: bytes, other: bytes, flags: int) -> bool:
    """Call renameat2(2); return False where the system or the file system cannot do that. Raises OSError."""
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if renameat2(_AT_FDCWD, one, _AT_FDCWD, other, flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), os.fsdecode(one))


def sync_folder(folder: Path) -> None:
    """Sync created and renamed entries of `folder` to the disk, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems cannot sync a folder.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
