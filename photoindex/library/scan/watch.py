"""`watch`: scans folders as soon as something changes in them; where that cannot be seen, it scans again now and then."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from photoindex.durations import spoken
from photoindex.errors import LibraryLocked, PhotoIndexError, UsageError, VolumeOffline
from photoindex.file_access import is_folder
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.scan import ScanRequest, ScanSummary, scan
from photoindex.progress import EventSink, Notice

LOCK = "watch.lock"
_TICK_MS = 500
_ROOTS_SECONDS = 30.0
"""How often to look whether a volume was mounted or taken away."""
_FOLDERS_MAX = 100
"""Of more changed folders the roots are scanned whole: one walk is cheaper than so many."""

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """When to scan.

    calm_seconds: after the last change, so that a copy of many files is scanned once. longest_seconds: after the first one, if
    changes never end. rescan_seconds: scan everything this often, because a server's file system does not tell of changes by others.
    fallback_seconds: the same where changes cannot be watched at all. again_seconds: after a scan of everything that failed, or met
    another command at work.
    """

    calm_seconds: float = 5.0
    longest_seconds: float = 60.0
    rescan_seconds: float = 3600.0
    fallback_seconds: float = 600.0
    again_seconds: float = 60.0


def watch(
    library: Library,
    request: WatchRequest,
    emit: EventSink,
    scanned: Callable[[ScanSummary], None],
    stop: Stop = lambda: False,
) -> None:
    """Scan everything, then what changes, until `stop`. scanned: is called after each scan.

    Raises LibraryLocked if the library is watched already, UsageError if it has no folder yet or the package that watches is not
    installed. What a scan raises is reported, and the next one tries again.
    """
    try:
        import watchfiles
    except ImportError:
        raise UsageError(
            "watch needs the package watchfiles, which is not installed; run: pip install 'photoindex[watch]'"
        ) from None
    with exclusive(library.folder, "watch", name=LOCK):
        _Watch(library, request, emit, scanned, stop, watchfiles).run()


@dataclass(slots=True)
class _Watch:
    library: Library
    request: WatchRequest
    emit: EventSink
    scanned: Callable[[ScanSummary], None]
    stop: Stop
    watchfiles: Any
    _changed: set[bytes] = field(default_factory=set)
    _first_at: float = 0.0
    _last_at: float = 0.0
    _whole_at: float = 0.0
    _looked_at: float = 0.0
    _whole_again_at: float = 0.0

    def run(self) -> None:
        self._scan([])
        while not self.stop():
            there = self._roots()
            try:
                self._follow(there)
            except (OSError, RuntimeError) as error:
                # Too many folders for the system's limit, or a file system that cannot be watched.
                every = self.request.fallback_seconds
                self.emit(
                    Notice(
                        f"changes cannot be watched ({error}); everything is scanned every {spoken(every)} instead",
                        "warning",
                    )
                )
                self._rescan_every(every)

    def _follow(self, there: Collection[bytes]) -> None:
        """Scan what changes, until the roots that are mounted differ from those that are watched."""
        for changes in self._changes(there):
            now = time.monotonic()
            if changes:
                self._first_at = self._first_at if self._changed else now
                self._last_at = now
                self._changed |= changes
            calm = now - self._last_at >= self.request.calm_seconds
            if self._changed and (calm or now - self._first_at >= self.request.longest_seconds):
                self._scan(sorted(self._changed))
            if now - self._whole_at >= self.request.rescan_seconds:
                self._scan([])
            if now - self._looked_at >= _ROOTS_SECONDS:
                self._looked_at = now
                if self._roots() != there:
                    return

    def _changes(self, there: Collection[bytes]) -> Iterator[set[bytes]]:
        """Yield the folders in which something changed, and an empty set now and then, until the user stops."""
        own = [os.path.realpath(os.fsencode(one)) for one in (self.library.folder, self.library.derived_folder)]
        if not there:
            while not self.stop():
                time.sleep(_TICK_MS / 1000)
                yield set()
            return
        watcher = self.watchfiles.watch(
            *map(os.fsdecode, there), watch_filter=None, debounce=_TICK_MS, step=50, rust_timeout=_TICK_MS,
            yield_on_timeout=True, raise_interrupt=False, ignore_permission_denied=True, stop_event=threading.Event(),
        )  # fmt: skip
        for found in watcher:
            if self.stop():
                return
            folders = {_existing_folder(os.fsencode(path)) for _, path in found}
            yield {one for one in folders if not _is_within(one, own)}

    def _rescan_every(self, seconds: float) -> None:
        while not self.stop():
            time.sleep(_TICK_MS / 1000)
            if time.monotonic() - self._whole_at >= seconds:
                self._scan([])

    def _scan(self, folders: list[bytes]) -> None:
        """Scan folders, or everything; if that fails, these folders are scanned with the next change."""
        if len(folders) > _FOLDERS_MAX:
            folders = []
        if not folders and time.monotonic() < self._whole_again_at:
            return
        roots = self._roots()
        tops = [one for one in folders if any(_is_within(one, [root]) for root in roots)]
        if folders and not tops:
            self._changed.clear()
            return
        try:
            summary = scan(self.library, ScanRequest(tops=tops), self.emit, self.stop)
        except UsageError:
            raise
        except LibraryLocked:
            self._later(tops)  # after the other command, once more
            return
        except VolumeOffline as error:
            self.emit(Notice(str(error), "warning"))
        except PhotoIndexError as error:
            self.emit(Notice(str(error), "warning"))
            self._later(tops)
            return
        else:
            self.scanned(summary)
        self._changed.clear()
        if not tops:
            self._whole_at = time.monotonic()

    def _later(self, tops: list[bytes]) -> None:
        self._last_at = time.monotonic()
        if not tops:
            self._whole_again_at = self._last_at + self.request.again_seconds

    def _roots(self) -> set[bytes]:
        """Return the known folders that are there now."""
        return {one.path for one in Roots(self.library.database).known if one.online and is_folder(one.path)}


def _existing_folder(path: bytes) -> bytes:
    """Return the folder of a file that changed; where it is gone, or its name is not UTF-8, one above it."""
    folder = os.path.dirname(path)
    while not is_folder(folder) and folder not in (b"/", b""):
        folder = os.path.dirname(folder)
    return folder


def _is_within(path: bytes, folders: Collection[bytes]) -> bool:
    return any(path == one or path.startswith(one.rstrip(b"/") + b"/") for one in folders)
