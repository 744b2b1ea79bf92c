"""Translate SQLite errors to subclasses of PhotoIndexError."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from photoindex.errors import DatabaseFailed, LibraryLocked, StorageFull

_MIN_FREE_BYTES = 256 << 10

BROKEN_LINK_AT_COMMIT = (sqlite3.IntegrityError,)
"""What a commit raises if a foreign key is violated; statements raise SQLAlchemy's IntegrityError."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Translate driver errors raised in the block to errors that a user can act on."""
    try:
        yield
    except DatabaseError as error:
        original = error.orig
        if isinstance(original, sqlite3.Error):
            raise translate(original, path) from error
        raise
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(path) from error
        raise


def translate(error: sqlite3.Error, path: Path) -> Exception:
    """Return the error to raise instead of `error`, or `error` itself if it is a bug in photoindex."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if code in _FULL or primary == sqlite3.SQLITE_FULL:
        return _full(path)
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path.parent):
        # SQLite reports "I/O error" when there is no room even for the shared memory of its write-ahead log.
        return _full(path)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryLocked(f"{path} is in use by another program; try again when it has finished")
    if primary in _DAMAGED:
        return DatabaseFailed(
            f"{path} is damaged ({error}); restore the newest snapshot: photoindex restore SNAPSHOT --library NEW"
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return DatabaseFailed(f"{path} cannot be read or written ({error}); check the permissions and the disk")
    return error


def _full(path: Path) -> StorageFull:
    return StorageFull(f"the disk that holds {path.parent} is full; free some space and run the command again")


def is_unwritable(error: DatabaseFailed | StorageFull) -> bool:
    """Tell whether a database could not be opened because its folder cannot be written: read-only, no permission, full."""
    return isinstance(error, StorageFull) or is_read_only(error) or _sqlite_code(error) == sqlite3.SQLITE_CANTOPEN


def is_read_only(error: DatabaseFailed) -> bool:
    """Return whether the error means that the database can be read but not written."""
    return _sqlite_code(error) == sqlite3.SQLITE_READONLY


def is_damaged(error: DatabaseFailed) -> bool:
    """Return whether the error means that the content of the database is damaged."""
    return _sqlite_code(error) in _DAMAGED


def _sqlite_code(error: Exception) -> int | None:
    """Return SQLite's primary error code behind an error, None where there is none."""
    cause = error.__cause__
    original = cause.orig if isinstance(cause, DatabaseError) else cause
    code = getattr(original, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def why_unwritable(folder: Path) -> str:
    """Return why nothing can be saved in a folder that can be read: full, read-only or not permitted; "" if it can."""
    if _is_full(folder):
        return f"the disk that holds {folder} is full"
    return "" if os.access(folder, os.W_OK) else f"{folder} cannot be written"


def _is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < _MIN_FREE_BYTES
