"""A library's database: connections and short read and write transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from photoindex.store.engine.errors import translated_errors


class Database:
    """A SQLite database in WAL mode.

    `read()` yields a connection with a consistent snapshot. `write()` yields one that holds the single write lock from
    its first statement (BEGIN IMMEDIATE) and commits at the end; keep the block short. `cache_mb` and `mmap_mb` are the
    sizes of SQLite's page cache and memory map per connection, in MiB.
    """

    def __init__(self, path: Path, *, cache_mb: int = 64, mmap_mb: int = 256, busy_seconds: float = 30.0) -> None:
        self.path = path
        self._cache_mb = cache_mb
        self._mmap_mb = mmap_mb
        self._busy_seconds = busy_seconds
        self._engine = self._make_engine()

    def _make_engine(self) -> Engine:
        engine = create_engine(
            # Not as text: a folder name may contain characters that are special in a URL (?, #, %).
            URL.create("sqlite", database=str(self.path)),
            poolclass=QueuePool,
            connect_args={"timeout": self._busy_seconds, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            # SQLAlchemy's begin event starts transactions; the driver must not start its own.
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
        """Return a new `sqlite3.Connection` for SQLite-only features (online backup, sqlite-utils)."""
        return sqlite3.connect(self.path, timeout=self._busy_seconds)

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
