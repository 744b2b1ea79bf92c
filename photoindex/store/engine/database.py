"""A library's database: opening it, and its short read and write transactions; the same for every engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult

from photoindex.store.engine.base import Address, Engine
from photoindex.store.engine.sqlite import SQLITE


class Database:
    """An open database.

    `read()` yields a connection with a consistent snapshot. `write()` yields one that holds the write lock from its first
    statement and commits at the end; keep the block short. options: fields of `Address`.
    """

    def __init__(self, path: Path, *, engine: Engine = SQLITE, **options: Any) -> None:
        self.path = path
        self.address = Address(path, **options)
        self.engine = engine
        self._pool = engine.open(self.address)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state of the database until the block ends."""
        with self.engine.errors(self.path), self._pool.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Yield a connection inside a write transaction; commit when the block ends, roll back if it raises.

        wait_seconds: how long to wait for another writer; None: as configured.
        """
        with (
            self.engine.errors(self.path),
            self._pool.connect().execution_options(photoindex_write=True) as connection,
            self.engine.busy_timeout(connection, wait_seconds, usual=self.address.busy_seconds),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield one connection for a whole command; its temporary tables last until the block ends."""
        with self.engine.errors(self.path), self._pool.connect() as connection:
            yield Session(connection)

    def raw_connection(self) -> Any:
        """Return a new connection of the engine's driver."""
        return self.engine.driver_connection(self.address)

    def close(self) -> None:
        """Close all connections."""
        self._pool.dispose()


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
