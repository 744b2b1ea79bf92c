"""The lock that lets one command at a time change a library."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from photoindex.atomic_files import atomic_file
from photoindex.errors import LibraryLocked

LOCK_NAME = "photoindex.lock"
_HOLDER_SUFFIX = ".holder"
_CLOCK_SECONDS = 1.0
HOLDER_NAME = LOCK_NAME + _HOLDER_SUFFIX
"""The file next to the lock that records its holder."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock: process id, its command, since when (UTC seconds since 1970)."""

    pid: int
    command: str
    since: float


@contextmanager
def exclusive(
    library_folder: Path, command: str = "photoindex", *, wait_seconds: float = 0.0, name: str = LOCK_NAME
) -> Iterator[None]:
    """Hold the library's lock while the block runs; error messages of other commands show `command`.

    `name` is the lock file; use another name for work that excludes only work of the same kind. The kernel releases the
    lock when the process ends, even if it is killed. The lock is not re-entrant. Raises LibraryLocked if another
    command (of this or another process) still holds it after `wait_seconds`.
    """
    from filelock import FileLock, Timeout

    path = library_folder / name
    lock = FileLock(path, timeout=wait_seconds, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        holder = read_holder(path)
        raise LibraryLocked(_refusal(path), since=None if holder is None else holder.since) from None
    try:
        _write_holder(path, Holder(os.getpid(), command, time.time()))
        yield
    finally:
        _holder_file(path).unlink(missing_ok=True)
        lock.release()


def read_holder(lock: Path) -> Holder | None:
    """Return the process that last took the lock and did not release it, None if there is none. A killed one stays recorded."""
    try:
        value = json.loads(_holder_file(lock).read_text(encoding="utf-8"))
        return Holder(int(value["pid"]), str(value["command"]), float(value["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(lock: Path) -> bool:
    """Tell whether a living process holds the lock, without taking it: a command that starts now must not meet this one."""
    holder = read_holder(lock)
    if holder is None:
        return False
    import psutil

    try:
        started_at = psutil.Process(holder.pid).create_time()
    except psutil.Error:
        return False
    # A process that is younger than the lock got the number of the one that died.
    return bool(started_at <= holder.since + _CLOCK_SECONDS)


def _holder_file(lock: Path) -> Path:
    return lock.with_name(lock.name + _HOLDER_SUFFIX)


def _write_holder(lock: Path, holder: Holder) -> None:
    text = json.dumps({"pid": holder.pid, "command": holder.command, "since": holder.since})
    # Only error messages use this file; a full disk must not prevent a command from taking the lock.
    with suppress(OSError):
        temporary = lock.with_name(f"{lock.name}.{holder.pid}")
        with atomic_file(_holder_file(lock), temporary=temporary, durable=False) as file:
            file.write(text.encode())


def _refusal(lock: Path) -> str:
    holder = read_holder(lock)
    who = "another photoindex command"
    if holder is not None:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since))
        who = f"`{holder.command}` (process {holder.pid}, since {since})"
    return f"{who} is using the library in {lock.parent}; try again when it has finished"
