"""One library's database: opening it, and its short read and write transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from photoindex.errors import DatabaseFailed
from photoindex.store.engine.errors import translated_errors


class Database:
    """A SQLite database in WAL mode.

    `read()` gives a connection with a consistent snapshot, `write()` one that holds the single write lock from its first
    statement (BEGIN IMMEDIATE) and commits at the end; keep what happens inside short. `cache_mb` and `mmap_mb` are
    SQLite's page cache and memory map a connection, in MiB. `unwritable`: a file to read instead of `path`, or `path`
    itself, that nobody can write: it is opened without a lock and without the log and shared memory of WAL mode.
    """

    def __init__(
        self,
        path: Path,
        *,
        cache_mb: int = 64,
        mmap_mb: int = 256,
        busy_seconds: float = 30.0,
        unwritable: Path | None = None,
    ) -> None:
        self.path = path
        self._unwritable = unwritable
        self._cache_mb = cache_mb
        self._mmap_mb = mmap_mb
        self._busy_seconds = busy_seconds
        self._engine = self._make_engine()

    def _make_engine(self) -> Engine:
        engine = create_engine("sqlite://", creator=self._connect, poolclass=QueuePool)

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            # SQLAlchemy's begin event starts transactions; the driver must not start any of its own.
            connection.isolation_level = None
            if self._unwritable is None:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = {-1024 * self._cache_mb}")
            connection.execute(f"PRAGMA mmap_size = {self._mmap_mb << 20}")
            connection.execute("PRAGMA temp_store = FILE")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            immediate = connection.get_execution_options().get("photoindex_write", False)
            if immediate and self._unwritable is not None:
                raise DatabaseFailed(f"{self.path} cannot be written")
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
        return self._connect(check_same_thread=True)

    def read_only_connection(self) -> sqlite3.Connection:
        """Return a new connection of its own that cannot write."""
        return sqlite3.connect(self._uri("mode=ro"), uri=True, timeout=self._busy_seconds)

    def _connect(self, *, check_same_thread: bool = False) -> sqlite3.Connection:
        # `mode=rwc` is the default of a plain path.
        address = self._uri("mode=rwc" if self._unwritable is None else "mode=ro")
        return sqlite3.connect(address, uri=True, timeout=self._busy_seconds, check_same_thread=check_same_thread)

    def _uri(self, mode: str) -> str:
        # Quoted, because a folder's name may hold what a URI gives a meaning to (?, #, %), or bytes that are not UTF-8.
        name = quote(os.fsencode((self._unwritable or self.path).absolute()))
        return f"file:{name}?{mode}" + ("" if self._unwritable is None else "&immutable=1")

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


def new_id(result: CursorResult[Any]) -> int:
    """Return the integer primary key of the one row that an INSERT made."""
    key = result.inserted_primary_key
    if key is None:
        raise TypeError("the statement inserted no row")
    return int(key[0])
