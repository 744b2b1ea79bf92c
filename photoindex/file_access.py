"""Access to files that other programs put where they are: paths of any length, and opens that never wait.

The kernel refuses paths of PATH_MAX bytes and more (4,096 on Linux), though folders can be nested deeper. Such a path is
opened step by step and then addressed through /proc/self/fd, so that any call that takes a path can use it. Without /proc
the call fails with ENAMETOOLONG, as it would otherwise.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from photoindex.paths import composed

_PATH_MAX = 4096 if os.path.isdir("/proc/self/fd") else 1 << 62
_NAME_MAX = 255
_STEP_BYTES = 2048


class NotRegularFile(OSError):
    """The path leads to a FIFO, socket or device; `strerror` is a text for messages."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "not a regular file")


@contextmanager
def reached(path: bytes) -> Iterator[bytes]:
    """Yield a path to the same file that is short enough for the kernel, also for the names in it if it is a folder.

    A short path is yielded unchanged; any other is valid inside the block only. Raises OSError.
    """
    if len(path) + 1 + _NAME_MAX < _PATH_MAX:
        yield path
        return
    folder, name = os.path.split(path.rstrip(b"/"))
    descriptor = os.open(b"/" if path.startswith(b"/") else b".", os.O_PATH | os.O_CLOEXEC)
    try:
        for step in _steps(folder):
            inner = os.open(step, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield b"/proc/self/fd/%d/%s" % (descriptor, name)
    finally:
        os.close(descriptor)


def _steps(folder: bytes) -> Iterator[bytes]:
    """Yield a path in relative pieces that the kernel accepts."""
    piece = b""
    for name in folder.split(b"/"):
        if not name:
            continue
        if len(piece) + len(name) > _STEP_BYTES:
            yield piece
            piece = b""
        piece = piece + b"/" + name if piece else name
    if piece:
        yield piece


def status(path: bytes, *, follow_symlinks: bool = True) -> os.stat_result:
    """Return the file's status, like os.stat. Raises OSError, and ValueError for a NUL byte."""
    with reached(path) as short:
        return os.stat(short, follow_symlinks=follow_symlinks)


def exists(path: bytes) -> bool:
    """Tell whether something is at `path`; a link counts whatever it leads to."""
    return _mode(path, follow_symlinks=False) is not None


def is_folder(path: bytes) -> bool:
    """Tell whether `path` is a folder or a link to one."""
    return stat.S_ISDIR(_mode(path) or 0)


def is_file(path: bytes) -> bool:
    """Tell whether `path` is a regular file or a link to one."""
    return stat.S_ISREG(_mode(path) or 0)


def is_link(path: bytes) -> bool:
    """Tell whether `path` is a symbolic link."""
    return stat.S_ISLNK(_mode(path, follow_symlinks=False) or 0)


def _mode(path: bytes, *, follow_symlinks: bool = True) -> int | None:
    try:
        return status(path, follow_symlinks=follow_symlinks).st_mode
    except (OSError, ValueError):
        return None


def as_on_disk(path: bytes) -> bytes:
    """Return the path of what is at `path`, or at one that looks the same, composed or decomposed (Unicode), as macOS does.

    What has exactly these bytes comes first. Of a path that leads to nothing, the folders that exist are returned so.
    """
    if path.isascii() or exists(path):
        return path
    found = [b"/" if path.startswith(b"/") else b""]
    parts = path.lstrip(b"/").split(b"/")
    for index, part in enumerate(parts):
        inside = [os.path.join(folder, name) for folder in found for name in _look_alikes(folder, part)]
        if not inside:
            return os.path.join(found[0], *parts[index:])
        found = inside
    return found[0]


def as_named(path: Path) -> Path:
    """Return the path of what a user named, as `as_on_disk` does."""
    return Path(os.fsdecode(as_on_disk(os.fsencode(path))))


def from_root(path: Path) -> Path:
    """Return the absolute path of what a user named, with `~` for the home folder."""
    return as_named(path.expanduser().absolute())


def _look_alikes(folder: bytes, name: bytes) -> list[bytes]:
    """Return the names in a folder that look like `name`, itself first."""
    own = [name] if exists(os.path.join(folder, name)) else []
    if name.isascii():
        return own
    try:
        with reached(folder or b".") as short:
            others = sorted(each for each in os.listdir(short) if each != name and composed(each) == composed(name))
    except OSError:
        return own
    return own + others


def is_empty(folder: bytes) -> bool:
    """Tell whether a folder has no entries. Raises OSError."""
    with reached(folder) as short, os.scandir(short) as entries:
        return next(entries, None) is None


def is_allowed(path: bytes, mode: int) -> bool:
    """Tell whether the user may access `path`; mode: os.R_OK, os.X_OK or both."""
    try:
        with reached(path) as short:
            return os.access(short, mode)
    except OSError:
        return False


def open_descriptor(path: bytes | str | os.PathLike[str]) -> int:
    """Open a regular file for reading and return its descriptor. Raises OSError, NotRegularFile (FIFO, device)."""
    # Without O_NONBLOCK, opening a FIFO would block until it has a writer.
    with reached(os.fsencode(path)) as short:
        descriptor = os.open(short, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise NotRegularFile


def open_file(path: bytes | str | os.PathLike[str], *, buffering: int = -1) -> BinaryIO:
    """Open a regular file for reading as a binary stream. Raises OSError, NotRegularFile (FIFO, device)."""
    return open(open_descriptor(path), "rb", buffering)


def read_file(path: bytes | str | os.PathLike[str]) -> bytes:
    """Return all bytes of a regular file. Raises OSError, NotRegularFile (FIFO, device)."""
    with open_file(path, buffering=0) as file:
        return file.read()
