"""What is done to originals, and nowhere else: a file moves into the trash and back, or becomes a link to an equal one.

Nothing here writes into a file or deletes one; a link is removed only where it was made.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from photoindex import file_access
from photoindex.atomic_files import rename_new, sync_folder
from photoindex.paths import display

_CHUNK_BYTES = 1 << 20
_CLONE_SUFFIX = b".photoindex-clone"
_FICLONE = 0x40049409
"""ioctl_ficlone(2), of linux/fs.h."""
_CANNOT_CLONE = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS)
_NO_LEASE = (errno.EINVAL, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EPERM)
"""What fcntl(2) answers for a file of somebody else, and where the file system has no leases."""


class Refused(Exception):
    """A file is not as it should be; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Tells whether a file was replaced or written to: device, inode, size, times in nanoseconds since 1970, links to it."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    links: int

    def is_same(self, other: Signature) -> bool:
        """Tell whether nothing was written since; moving one link of a file changes the ctime of all."""
        mine = self.device, self.inode, self.size_bytes, self.mtime_ns
        others = other.device, other.inode, other.size_bytes, other.mtime_ns
        return mine == others and (self.links > 1 or self.ctime_ns == other.ctime_ns)


def signature(path: bytes) -> Signature:
    """Return the signature of a regular file. Raises OSError, and Refused for a link, a folder or a device."""
    try:
        found = file_access.status(path, follow_symlinks=False)
    except ValueError as error:
        raise Refused(f"{display(path)} is no path") from error
    if stat.S_ISLNK(found.st_mode):
        raise Refused(f"{display(path)} is a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{display(path)} is not a regular file")
    return Signature(
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_nlink
    )  # fmt: skip


def digest_of(path: bytes) -> bytes:
    """Read a file and return its BLAKE3. Raises OSError."""
    from blake3 import blake3

    hasher = blake3()
    with file_access.open_file(path, buffering=0) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.digest()


def has_same_bytes(one: bytes, other: bytes) -> bool:
    """Compare two files byte by byte. Raises OSError."""
    with file_access.open_file(one, buffering=0) as first, file_access.open_file(other, buffering=0) as second:
        while True:
            chunk = first.read(_CHUNK_BYTES)
            if chunk != _read_exactly(second, len(chunk) or 1):
                return False
            if not chunk:
                return True


def _read_exactly(stream: object, size: int) -> bytes:
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):  # type: ignore[attr-defined]
        found += more
    return found


def is_open_for_writing(path: bytes) -> bool:
    """Tell whether any program has a file open for writing; False where the system cannot tell. Raises OSError."""
    import fcntl

    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    descriptor = file_access.open_descriptor(path)
    try:
        # A read lease is granted only while nobody can write (fcntl(2)).
        fcntl.fcntl(descriptor, lease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, lease, fcntl.F_UNLCK)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            return True
        if error.errno not in _NO_LEASE:
            raise
    finally:
        os.close(descriptor)
    return False


def may_move_from(path: bytes) -> bool:
    """Tell whether the user may rename what is at `path`."""
    return file_access.is_allowed(os.path.dirname(path), os.W_OK | os.X_OK)


def move(path: bytes, to: bytes) -> None:
    """Move a file to where nothing is, on the same file system, and sync both folders. Raises OSError: FileExistsError."""
    make_folders(os.path.dirname(to))
    with file_access.reached(path) as source, file_access.reached(to) as target:
        rename_new(source, target)
    _sync(os.path.dirname(to), os.path.dirname(path))


def make_folders(folder: bytes) -> None:
    """Make a folder with those above it. Raises OSError."""
    if file_access.is_folder(folder):
        return
    make_folders(os.path.dirname(folder))
    with file_access.reached(folder) as short, suppress(FileExistsError):
        os.mkdir(short)


def link(kept: bytes, place: bytes, like: bytes) -> None:
    """Make `place` a file with the bytes of `kept`, and prove it; `like` is the file that was there, now in the trash.

    A clone with the mode and times of `like` where the file system shares blocks (reflink), else a hard link.
    Raises OSError; Refused where the link cannot be proved, and then nothing is at `place`.
    """
    if not _clone(kept, place, like):
        with file_access.reached(kept) as source, file_access.reached(place) as target:
            os.link(source, target)
    try:
        proved = is_link_of(place, kept) or has_same_bytes(place, like)
    except OSError:
        remove_link(place)
        raise
    if not proved:
        remove_link(place)
        raise Refused(f"the link at {display(place)} has other bytes than the copy")
    _sync(os.path.dirname(place))


def is_link_of(place: bytes, kept: bytes) -> bool:
    """Tell whether two paths lead to one file."""
    try:
        one, other = file_access.status(place, follow_symlinks=False), file_access.status(kept, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(one, other)


def remove_link(place: bytes) -> None:
    """Remove a link that `link` made; the bytes stay in the kept file and in the trash. Raises OSError."""
    with file_access.reached(place) as short, suppress(FileNotFoundError):
        os.unlink(short)


def put_back(moved_to: bytes, path: bytes, *, linked_to: bytes | None) -> None:
    """Move a file from the trash to its old place; where `link` put a link there, the file takes its place.

    Raises OSError; Refused where another file is in the way.
    """
    make_folders(os.path.dirname(path))
    if linked_to is not None:
        _drop_clone(path)
    if linked_to is not None and file_access.exists(path):
        if not is_link_of(path, linked_to) and not has_same_bytes(path, moved_to):
            raise Refused(f"{display(path)} has changed since it became a link")
        with file_access.reached(moved_to) as source, file_access.reached(path) as target:
            os.replace(source, target)
    else:
        with file_access.reached(moved_to) as source, file_access.reached(path) as target:
            rename_new(source, target)
    _sync(os.path.dirname(path), os.path.dirname(moved_to))


def _clone(kept: bytes, place: bytes, like: bytes) -> bool:
    """Make a clone under another name and rename it, so that `place` is whole or not there; False: not possible here."""
    import fcntl

    with file_access.reached(_clone_name(place)) as short, file_access.open_file(kept) as source:
        target = os.open(short, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.ioctl(target, _FICLONE, source.fileno())
            before = file_access.status(like)
            os.fchmod(target, stat.S_IMODE(before.st_mode))
            os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(target)
            with file_access.reached(place) as named:
                rename_new(short, named)
        except OSError as error:
            _drop_clone(place)
            if error.errno in _CANNOT_CLONE:
                return False
            raise
        finally:
            os.close(target)
    return True


def _clone_name(place: bytes) -> bytes:
    folder, name = os.path.split(place)
    return os.path.join(folder, b"." + name[:100] + _CLONE_SUFFIX)


def _drop_clone(place: bytes) -> None:
    """Remove the unfinished clone that a killed command left."""
    with file_access.reached(_clone_name(place)) as short, suppress(FileNotFoundError):
        os.unlink(short)


def _sync(*folders: bytes) -> None:
    for folder in dict.fromkeys(folders):
        # The move is made; a folder that may not be read cannot be synced.
        with suppress(OSError), file_access.reached(folder) as short:
            sync_folder(Path(os.fsdecode(short)))


def write_new(path: bytes, text: str) -> None:
    """Write a file of our own where nothing is. Raises OSError."""
    with file_access.reached(path) as short:
        descriptor = os.open(short, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
