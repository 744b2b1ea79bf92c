"""A library's database: connections and short read and write transactions."""

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

    `read()` yields a connection with a consistent snapshot. `write()` yields one that holds the single write lock from
    its first statement (BEGIN IMMEDIATE) and commits at the end; keep the block short. `cache_mb` and `mmap_mb` are the
    sizes of SQLite's page cache and memory map per connection, in MiB. unwritable: the file to read
    when nothing can be written beside it (`path` itself or a copy): opened without a lock, a log or shared memory.
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
            # SQLAlchemy's begin event starts transactions; the driver must not start its own.
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
        """Yield a connection that sees one consistent state of the database until the block ends."""
        with translated_errors(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Yield a connection inside a write transaction; commit when the block ends, roll back if it raises.

        wait_seconds: how long to wait for another writer; None: as configured.
        """
        with (
            translated_errors(self.path),
            self._engine.connect().execution_options(photoindex_write=True) as connection,
            self._busy_timeout(connection, wait_seconds),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _busy_timeout(self, connection: Connection, seconds: float | None) -> Iterator[None]:
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
        """Yield one connection for a whole command; its temporary tables last until the block ends."""
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
    """One connection for several transactions in sequence."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield the connection inside a transaction that may read, and write to temporary tables."""
        yield from self._transaction(write=False)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield the connection inside a write transaction."""
        yield from self._transaction(write=True)

    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        self._connection.execution_options(photoindex_write=write)
        with self._connection.begin():
            yield self._connection


def new_id(result: CursorResult[Any]) -> int:
    """Return the integer primary key of the one row inserted by an INSERT."""
    key = result.inserted_primary_key
    if key is None:
        raise TypeError("the statement inserted no row")
    return int(key[0])
