"""One library's database: opening it, and its short read and write transactions."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from photoindex.errors import DatabaseFailed, LibraryLocked, StorageFull

_ROOM_BYTES = 256 << 10
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


class Database:
    """A SQLite database in WAL mode.

    `read()` gives a connection with a consistent snapshot, `write()` one that holds the single write lock from its first
    statement (BEGIN IMMEDIATE) and commits at the end; keep what happens inside short. `cache_mb` and `mmap_mb` are
    SQLite's page cache and memory map a connection, in MiB.
    """

    def __init__(self, path: Path, *, cache_mb: int = 64, mmap_mb: int = 256, busy_seconds: float = 30.0) -> None:
        self.path = path
        self._cache_mb = cache_mb
        self._mmap_mb = mmap_mb
        self._busy_seconds = busy_seconds
        self._engine = self._make_engine()

    def _make_engine(self) -> Engine:
        engine = create_engine(
            # Not as text: a folder's name may hold what a URL gives a meaning to (?, #, %).
            URL.create("sqlite", database=str(self.path)),
            poolclass=QueuePool,
            connect_args={"timeout": self._busy_seconds, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            # SQLAlchemy's begin event starts transactions; the driver must not start any of its own.
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = {-1024 * self._cache_mb}")
            connection.execute(f"PRAGMA mmap_size = {self._mmap_mb << 20}")
            connection.execute("PRAGMA temp_store = FILE")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            immediate = connection.get_execution_options().get("photoindex_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database until the block ends."""
        with translated_errors(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Give a connection inside a write transaction; commit when the block ends, roll back when it raises.

        wait_seconds: how long to wait for another writer, where that is not as the settings say.
        """
        with (
            translated_errors(self.path),
            self._engine.connect().execution_options(photoindex_write=True) as connection,
            self._waiting(connection, wait_seconds),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _waiting(self, connection: Connection, seconds: float | None) -> Iterator[None]:
        driver = connection.connection.driver_connection
        if seconds is None or driver is None:
            yield
            return
        driver.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA busy_timeout = {round(self._busy_seconds * 1000)}")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give one connection for a whole command; its temporary tables last until the block ends."""
        with translated_errors(self.path), self._engine.connect() as connection:
            yield Session(connection)

    def raw_connection(self) -> Any:
        """Return a new `sqlite3.Connection` of its own, for what only SQLite has (online backup, sqlite-utils)."""
        return sqlite3.connect(self.path, timeout=self._busy_seconds)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class Session:
    """One connection with several transactions, one after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection inside a transaction that may read, and write to temporary tables."""
        yield from self._transaction(write=False)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the connection inside a write transaction."""
        yield from self._transaction(write=True)

    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        self._connection.execution_options(photoindex_write=write)
        with self._connection.begin():
            yield self._connection


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn the driver's errors inside the block into the families that a user can act on."""
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
            raise StorageFull(
                f"the disk that holds {path.parent} is full; free some space and run the command again"
            ) from error
        raise


def translate(error: sqlite3.Error, path: Path) -> Exception:
    """Return the error to raise instead of `error`; the error itself where it is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if code in _FULL or primary == sqlite3.SQLITE_FULL:
        return StorageFull(f"the disk that holds {path.parent} is full; free some space and run the command again")
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path.parent):
        # SQLite says "I/O error" where it cannot even make room for the shared memory of its log.
        return StorageFull(f"the disk that holds {path.parent} is full; free some space and run the command again")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryLocked(f"{path} is in use by another program; try again when it has finished")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DatabaseFailed(
            f"{path} is damaged ({error}); restore the newest snapshot: photoindex restore SNAPSHOT --library NEW"
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return DatabaseFailed(f"{path} cannot be read or written ({error}); check the permissions and the disk")
    return error


def is_read_only(error: DatabaseFailed) -> bool:
    """Tell whether a database could not be written, but can be read."""
    cause = error.__cause__
    original = cause.orig if isinstance(cause, DatabaseError) else cause
    code = getattr(original, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_READONLY


def _is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < _ROOM_BYTES
