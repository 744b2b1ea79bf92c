"""Makes a file where nothing is: a copy whose bytes are checked, a symbolic link or a hard link. Nothing is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO

from photoindex import file_access
from photoindex.atomic_files import rename_new
from photoindex.permissions import apply_users_umask

_CHUNK_BYTES = 1 << 20
_SUFFIX = b".photoindex.part"
"""Of unfinished copies; scans leave out what ends in .part."""


class Changed(Exception):
    """The bytes of an original are not those that the library knows."""


def copy_new(source: bytes, target: bytes, digest: bytes | None, progress: Callable[[int], None]) -> bytes:
    """Copy a file with its times to where nothing is, and return its BLAKE3; it is there whole or not at all.

    digest: what that has to be, None for anything. progress: gets the bytes of each step. Raises OSError: FileExistsError;
    Changed for other bytes.
    """
    folder, name = os.path.split(target)
    unfinished = os.path.join(folder, b".%s.%d%s" % (name[:100], os.getpid(), _SUFFIX))
    with file_access.open_file(source, buffering=0) as stream, file_access.reached(unfinished) as short:
        # Exclusively: in a folder that others may write to, a link of that name would lead the bytes elsewhere.
        descriptor = os.open(short, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb", 0) as file:
                found = _write(file, _chunks(stream, source), progress)
                _check(found, digest)
                apply_users_umask(file.fileno())
                status = os.fstat(stream.fileno())
                os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
                os.fsync(file.fileno())
            with file_access.reached(target) as final:
                rename_new(short, final)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(short)
            raise
    return found


def _chunks(stream: BinaryIO, source: bytes) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(_CHUNK_BYTES)
        except OSError as error:
            raise OSError(error.errno, error.strerror, source) from error
        if not chunk:
            return
        yield chunk


def _write(file: BinaryIO, chunks: Iterator[bytes], progress: Callable[[int], None]) -> bytes:
    from blake3 import blake3

    hasher = blake3()
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:  # a write may take a part
            rest = rest[file.write(rest) :]
        hasher.update(chunk)
        progress(len(chunk))
    return hasher.digest()


def _check(found: bytes, digest: bytes | None) -> None:
    if digest is not None and found != digest:
        raise Changed


def link_new(source: bytes, target: bytes, *, hard: bool) -> None:
    """Make a link to a file where nothing is. Raises OSError: FileExistsError."""
    with file_access.reached(target) as short:
        if hard:
            with file_access.reached(source) as original:
                os.link(original, short, follow_symlinks=True)
        else:
            os.symlink(source, short)  # noqa: PTH211 - paths are bytes


def remove_unfinished(folder: bytes) -> None:
    """Remove the unfinished copies of killed runs from a folder. Raises OSError."""
    with file_access.reached(folder) as short, os.scandir(short) as entries:
        for entry in entries:
            number = entry.name.removesuffix(_SUFFIX).rpartition(b".")[2]
            if entry.name.endswith(_SUFFIX) and entry.name.startswith(b".") and not _is_running(number):
                with suppress(FileNotFoundError):
                    os.unlink(entry.path)


def _is_running(number: bytes) -> bool:
    if not number.isdigit():
        return True  # not one of ours
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return int(number) != os.getpid()
