"""Walking the originals: directories listed several at a time, paths as bytes, nothing opened."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from photoindex.pipeline.scan.exclusion import IGNORE_FILE, Rules

FileStat = tuple[int, int]
"""Size in bytes and mtime in nanoseconds: a plain tuple, because a rescan makes a million of them."""

_SLOW_SECONDS_PER_ENTRY = 100e-6
"""A directory entry costs about 3 microseconds where the file system answers from memory and 200 or more over a network or
from a cold disk, whose latency threads hide. Where memory answers, threads only fight for the interpreter lock."""


@dataclass(slots=True)
class Listing:
    """What one directory holds.

    `entries` are the regular files to take, `excluded` those that a rule leaves out, both name -> (size, mtime_ns).
    `unknown_below` are paths under which nothing can be said (an unreadable directory, a link that is not followed):
    files known there are neither seen nor gone. `pruned` are directories left out by a rule, `subfolders` those to visit, `linked_folders` those behind followed links.
    `bad_patterns` are lines of the folder's ignore file that are no gitignore patterns.
    """

    path: bytes
    device: int
    entries: dict[bytes, FileStat] = field(default_factory=dict)
    excluded: dict[bytes, FileStat] = field(default_factory=dict)
    links: int = 0
    special: int = 0
    pruned: list[bytes] = field(default_factory=list)
    unknown_below: list[bytes] = field(default_factory=list)
    subfolders: list[tuple[bytes, Rules]] = field(default_factory=list)
    linked_folders: list[tuple[bytes, Rules]] = field(default_factory=list)
    bad_patterns: tuple[str, ...] = ()
    error: OSError | None = None
    seconds: float = 0.0

    @property
    def candidates(self) -> int:
        """How many directory entries the summary has to account for."""
        return len(self.entries) + len(self.excluded) + self.links + self.special


def list_folder(path: bytes, rules: Rules, *, follow_symlinks: bool) -> Listing:
    """List one directory: one `scandir`, one `lstat` a file."""
    started = time.perf_counter()
    listing = Listing(path=path, device=-1)
    try:
        listing.device = os.stat(path).st_dev
        with os.scandir(path) as scan:
            found = list(scan)
        if any(entry.name == IGNORE_FILE for entry in found):
            rules = rules.entering(path)
            listing.bad_patterns = rules.ignore_files[-1].bad_lines
    except OSError as error:
        return _unreadable(listing, error)
    entries = listing.entries
    ask_rules = rules.speak_of_files
    for entry in found:
        try:
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                name = entry.name
                if (ask_rules or name.startswith(b"._")) and rules.excluded(entry.path, is_folder=False) is not None:
                    listing.excluded[name] = (status.st_size, status.st_mtime_ns)
                else:
                    entries[name] = (status.st_size, status.st_mtime_ns)
            else:
                _add_other(listing, entry, rules, follow_symlinks=follow_symlinks)
        except FileNotFoundError:
            continue  # a file that vanished since the directory was read is no candidate
        except PermissionError as error:
            return _unreadable(listing, error)  # names may be read here, the files not even looked at
        except OSError:
            listing.special += 1  # this one entry cannot be looked at (a bad sector, a stale handle)
            listing.unknown_below.append(entry.path)
    listing.seconds = time.perf_counter() - started
    return listing


def _unreadable(listing: Listing, error: OSError) -> Listing:
    return Listing(path=listing.path, device=listing.device, unknown_below=[listing.path], error=error)


def _add_other(listing: Listing, entry: os.DirEntry[bytes], rules: Rules, *, follow_symlinks: bool) -> None:
    path = entry.path
    if entry.is_symlink():
        try:
            status = entry.stat() if follow_symlinks else None
        except OSError:
            status = None  # it dangles, loops, or leads where we may not look
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


def walk(top: bytes, rules: Rules, *, follow_symlinks: bool, threads: int) -> Iterator[Listing]:
    """Yield a listing of every directory from `top` (absolute) down, in no fixed order.

    A directory is visited once, by device and inode, so links that form a loop end. An unreadable directory is a listing
    with its `error`. Real directories are visited before those behind links, so that files keep their real paths. Where listing is slow (a NAS, a cold disk), `threads` directories are listed at a time.
    """
    visited: set[tuple[int, int]] = set()
    waiting: deque[tuple[bytes, Rules]] = deque([(top, rules)])
    behind_links: deque[tuple[bytes, Rules]] = deque()
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
        status = os.stat(path)
    except OSError:
        return True  # listing it reports the error
    key = (status.st_dev, status.st_ino)
    if key in visited:
        return False
    visited.add(key)
    return True
