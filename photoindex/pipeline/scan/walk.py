"""Walks the originals without opening files; lists several directories in parallel."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from photoindex import file_access
from photoindex.pipeline.scan.exclusion import IGNORE_FILE, ExclusionRules, is_built_in_file

FileStat = tuple[int, int]
"""Size in bytes and mtime in nanoseconds; a plain tuple, because a rescan creates a million of them."""

_SLOW_SECONDS_PER_ENTRY = 100e-6
"""A directory entry costs about 3 microseconds from the cache, and 200 or more over a network or from a cold disk. Threads
hide that latency; with a warm cache they only compete for the interpreter lock."""


@dataclass(slots=True)
class Listing:
    """The contents of one directory.

    entries, excluded: regular files to scan, and those that a rule excludes; name -> (size, mtime_ns). unknown_below:
    paths whose contents are unknown (an unreadable directory, a link that is not followed), so that known files there are
    neither present nor missing. pruned: directories that a rule excludes. subfolders: those to visit. linked_folders:
    those behind followed links. failed: entries that could not be examined, each with the reason. bad_patterns: invalid lines of the folder's ignore file.
    """

    path: bytes
    device: int
    entries: dict[bytes, FileStat] = field(default_factory=dict)
    excluded: dict[bytes, FileStat] = field(default_factory=dict)
    links: int = 0
    special: int = 0
    pruned: list[bytes] = field(default_factory=list)
    unknown_below: list[bytes] = field(default_factory=list)
    subfolders: list[tuple[bytes, ExclusionRules]] = field(default_factory=list)
    linked_folders: list[tuple[bytes, ExclusionRules]] = field(default_factory=list)
    bad_patterns: tuple[str, ...] = ()
    failed: list[tuple[bytes, OSError]] = field(default_factory=list)
    error: OSError | None = None
    seconds: float = 0.0

    @property
    def candidates(self) -> int:
        """How many directory entries the summary accounts for."""
        return len(self.entries) + len(self.excluded) + self.links + self.special + len(self.failed)


def list_folder(path: bytes, rules: ExclusionRules, *, follow_symlinks: bool) -> Listing:
    """List one directory with one `scandir` and one `lstat` per file."""
    started = time.perf_counter()
    listing = Listing(path=path, device=-1)
    try:
        with file_access.reached(path) as folder:
            listing.device = os.stat(folder).st_dev
            with os.scandir(folder) as scan:
                found = list(scan)
            if any(entry.name == IGNORE_FILE and entry.is_file() for entry in found):
                rules = rules.entering(path)
                listing.bad_patterns = rules.ignore_files[-1].bad_lines
            _add_entries(listing, found, rules, follow_symlinks=follow_symlinks)
    except OSError as error:  # includes a folder whose names may be read, but whose files cannot be examined
        return _unreadable(listing, error)
    listing.seconds = time.perf_counter() - started
    return listing


def _add_entries(
    listing: Listing, found: Sequence[os.DirEntry[bytes]], rules: ExclusionRules, *, follow_symlinks: bool
) -> None:
    """Sort the entries of a folder into the listing. Raises PermissionError if files may not be examined."""
    entries = listing.entries
    match_files = rules.can_exclude_files
    prefix = os.path.join(listing.path, b"")
    for entry in found:
        try:
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                name = entry.name
                if (match_files or is_built_in_file(name)) and rules.excluded(
                    prefix + name, is_folder=False
                ) is not None:
                    listing.excluded[name] = (status.st_size, status.st_mtime_ns)
                else:
                    entries[name] = (status.st_size, status.st_mtime_ns)
            else:
                _add_other(listing, entry, rules, follow_symlinks=follow_symlinks)
        except FileNotFoundError:
            continue  # the file was removed after the directory was read
        except PermissionError:
            raise
        except OSError as error:  # a bad sector, a stale handle
            listing.failed.append((prefix + entry.name, error))
            listing.unknown_below.append(prefix + entry.name)


def _unreadable(listing: Listing, error: OSError) -> Listing:
    return Listing(path=listing.path, device=listing.device, unknown_below=[listing.path], error=error)


def _add_other(listing: Listing, entry: os.DirEntry[bytes], rules: ExclusionRules, *, follow_symlinks: bool) -> None:
    path = os.path.join(listing.path, entry.name)
    if entry.is_symlink():
        try:
            status = entry.stat() if follow_symlinks else None
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            status = None  # a dangling or looping link
        if status is None:
            listing.links += 1
            listing.unknown_below.append(path)
            return
    else:
        status = entry.stat()
    if stat.S_ISDIR(status.st_mode):
        if rules.excluded(path, is_folder=True) is not None:
            listing.pruned.append(path)
        else:
            (listing.linked_folders if entry.is_symlink() else listing.subfolders).append((path, rules))
    elif not stat.S_ISREG(status.st_mode):
        listing.special += 1
    elif rules.excluded(path, is_folder=False) is not None:
        listing.excluded[entry.name] = (status.st_size, status.st_mtime_ns)
    else:
        listing.entries[entry.name] = (status.st_size, status.st_mtime_ns)


def walk(top: bytes, rules: ExclusionRules, *, follow_symlinks: bool, threads: int) -> Iterator[Listing]:
    """Yield a listing of every directory from `top` (absolute) down, in no fixed order.

    A directory (device and inode) is visited once, so that link loops end. An unreadable directory yields a listing with
    its `error`. Real directories are visited before those behind links, so that files keep their real paths. If listing
    is slow (a NAS, a cold disk), `threads` directories are listed in parallel.
    """
    visited: set[tuple[int, int]] = set()
    waiting: deque[tuple[bytes, ExclusionRules]] = deque([(top, rules)])
    behind_links: deque[tuple[bytes, ExclusionRules]] = deque()
    running: set[Future[Listing]] = set()
    seconds_per_entry = 0.0
    with ThreadPoolExecutor(threads, thread_name_prefix="walk") as pool:
        try:
            while waiting or running or behind_links:
                if not waiting and not running:
                    waiting, behind_links = behind_links, waiting
                ready: list[Listing] = []
                while waiting and len(running) < threads * 4 and not ready:
                    path, inherited = waiting.popleft()
                    if follow_symlinks and not _first_visit(path, visited):
                        continue
                    if seconds_per_entry > _SLOW_SECONDS_PER_ENTRY and threads > 1:
                        running.add(pool.submit(list_folder, path, inherited, follow_symlinks=follow_symlinks))
                    else:
                        ready.append(list_folder(path, inherited, follow_symlinks=follow_symlinks))
                if not ready and running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    ready.extend(future.result() for future in done)
                for listing in ready:
                    latest = listing.seconds / (len(listing.entries) + 10)
                    seconds_per_entry += (latest - seconds_per_entry) / 8
                    waiting.extendleft(reversed(listing.subfolders))
                    behind_links.extend(listing.linked_folders)
                    yield listing
        finally:
            for future in running:
                future.cancel()


def _first_visit(path: bytes, visited: set[tuple[int, int]]) -> bool:
    try:
        status = file_access.status(path)
    except OSError:
        return True  # listing it reports the error
    key = (status.st_dev, status.st_ino)
    if key in visited:
        return False
    visited.add(key)
    return True
