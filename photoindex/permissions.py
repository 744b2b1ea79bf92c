"""Who may read what the program makes: its owner alone or, where the settings say so, a group.

The library holds the names and positions of a whole life, and SQLite, FAISS and the lock files each choose modes of their
own. The process's umask binds them all, and those of the worker processes, which inherit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

_users_umask: ContextVar[int | None] = ContextVar("users_umask", default=None)
_umask: ContextVar[int] = ContextVar("umask", default=0o077)


Permissions = Literal["private", "group"]
"""private: files 0600, folders 0700. group: 0640 and 0750."""

_UMASKS: dict[Permissions, int] = {"private": 0o077, "group": 0o027}


@contextmanager
def limited_to(permissions: Permissions) -> Iterator[None]:
    """Make files and folders with these permissions until the block ends, whatever the umask was."""
    before = os.umask(_UMASKS[permissions])
    users = _users_umask.get()
    outer = _users_umask.set(before if users is None else users), _umask.set(_UMASKS[permissions])
    try:
        yield
    finally:
        os.umask(before)
        _users_umask.reset(outer[0])
        _umask.reset(outer[1])


def publish_folder(folder: Path) -> None:
    """Give a folder that `tempfile` made for the owner alone the mode that other folders get."""
    folder.chmod(0o777 & ~_umask.get())


def apply_users_umask(descriptor: int, mode: int = 0o666) -> None:
    """Give a new file that a person asked for by its path the mode that their own umask says; mode: 0o777 for a folder."""
    users = _users_umask.get()
    if users is not None:
        os.fchmod(descriptor, mode & ~users)


def too_open(folder: Path, permissions: Permissions) -> str | None:
    """Return the octal mode that closes a folder which is open to others than the settings say; None for one that is not."""
    try:
        mode = os.stat(folder).st_mode & 0o777
    except OSError:
        return None
    closed = mode & ~_UMASKS[permissions]
    return None if mode == closed else f"{closed:o}"
