"""SQLite as a database engine of the store."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Select, Table, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from photoindex import paths
from photoindex.geo.names import distance_km
from photoindex.query.values import matches
from photoindex.store.engine import sqlite_connections
from photoindex.store.engine.base import Address, Engine, QueryResult, StepsExceeded
from photoindex.store.engine.errors import translated_errors
from photoindex.text import composed, fold

_STEPS_PER_CALL = 10_000


class Sqlite:
    """See `Engine`."""

    def open(self, address: Address) -> sqlalchemy.Engine:
        """Open the file in WAL mode."""
        return sqlite_connections.open_engine(address)

    def open_for_upgrade(self, address: Address) -> sqlalchemy.Engine:
        """Open the file with foreign keys off."""
        return sqlite_connections.open_engine_for_upgrade(address)

    def driver_connection(self, address: Address) -> sqlite3.Connection:
        """Connect with sqlite3."""
        return sqlite_connections.connect(address)

    def errors(self, path: Path) -> AbstractContextManager[None]:
        """See `errors`."""
        return translated_errors(path)

    def busy_timeout(
        self, connection: Connection, seconds: float | None, *, usual: float
    ) -> AbstractContextManager[None]:
        """Set the pragma."""
        return sqlite_connections.busy_timeout(connection, seconds, usual=usual)

    def size_bytes(self, address: Address) -> int:
        """Multiply pages by their size."""
        from photoindex.store.engine import snapshot

        return snapshot.size_bytes(address)

    def copy(self, address: Address, target: Path, advance: Callable[[int, int], None]) -> None:
        """Use the online backup."""
        from photoindex.store.engine import snapshot

        snapshot.copy(address, target, advance)

    def query_read_only(
        self, address: Address, sql: str, parameters: Mapping[str, str]
    ) -> AbstractContextManager[QueryResult]:
        """Ask SQLite's authorizer about every step."""
        from photoindex.store.engine.read_only_sql import query

        return query(address, sql, parameters)

    @contextmanager
    def functions(self, connection: Connection) -> Iterator[None]:
        """Register our functions: SQLite's lower() and LIKE handle only ASCII, and it has no regular expressions.

        SQLite turns an exception from a function into an OperationalError without its cause; the original is re-raised.
        """
        raised: list[BaseException] = []
        for name, arguments, function in _FUNCTIONS:
            _driver(connection).create_function(name, arguments, _recording(function, raised), deterministic=True)
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            if raised:
                raise raised[0] from error
            raise

    @contextmanager
    def limited(self, connection: Connection, steps: int | None) -> Iterator[None]:
        """Count steps of SQLite's virtual machine, tens of millions per second."""
        if steps is None:
            yield
            return
        driver = _driver(connection)
        each = min(steps, _STEPS_PER_CALL)
        left = [steps // each]

        def count() -> int:
            left[0] -= 1
            return int(left[0] <= 0)

        driver.set_progress_handler(count, each)
        try:
            yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise StepsExceeded from error
            raise
        finally:
            driver.set_progress_handler(None, 0)

    def check_links_at_commit(self, connection: Connection) -> None:
        """Defer the foreign keys."""
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))

    def has_broken_link(self, connection: Connection) -> bool:
        """Run `foreign_key_check`."""
        return connection.execute(text("PRAGMA foreign_key_check")).first() is not None

    def quick_check(self, connection: Connection, limit: int) -> list[str]:
        """Run `quick_check`; a row of it may hold several lines, below the name of the database."""
        rows = connection.exec_driver_sql(f"PRAGMA quick_check({limit:d})").scalars()
        lines = [line for row in rows if row != "ok" for line in str(row).splitlines()]
        return [line for line in lines if not line.startswith("*** in database")] or lines

    def broken_links(self, connection: Connection) -> dict[tuple[str, str], int]:
        """Run `foreign_key_check`."""
        return dict(Counter((row[0], row[2]) for row in connection.execute(text("PRAGMA foreign_key_check"))))

    def largest_number_ever(self, connection: Connection, table: Table) -> int:
        """Read sqlite_sequence (https://www.sqlite.org/autoinc.html)."""
        statement = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(connection.execute(statement, {"name": table.name}).scalar() or 0)

    def index_temporary(self, connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
        """Create the index in the schema `temp`."""
        connection.exec_driver_sql(f"CREATE INDEX temp.{name} ON {table.name} ({', '.join(columns)})")

    def fetch_plain(self, connection: Connection, statement: Select[Any], *parameters: object) -> list[tuple[Any, ...]]:
        """Run the compiled statement directly on the driver; each statement is compiled once."""
        rows: list[tuple[Any, ...]] = _driver(connection).execute(_compiled(statement), parameters).fetchall()
        return rows


SQLITE: Engine = Sqlite()
ENGINES: dict[str, Engine] = {"sqlite": SQLITE}
"""SQLAlchemy dialect name -> engine."""


def engine_of(connection: Connection) -> Engine:
    """Return the engine of a connection."""
    return ENGINES[connection.dialect.name]


@lru_cache(maxsize=16)
def _compiled(statement: Select[Any]) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))


def _driver(connection: Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


def _recording(function: Callable[..., Any], raised: list[BaseException]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        try:
            return function(*values)
        except BaseException as error:
            raised.append(error)
            raise

    return call


def _fold_column(value: str | bytes | None) -> str | None:
    return None if value is None else fold(_text(value))


def _compose_column(value: str | bytes | None) -> str | bytes | None:
    return paths.composed(value) if isinstance(value, bytes) else value and composed(value)


def _matches_column(pattern: str, value: str | bytes | None) -> bool | None:
    return None if value is None else matches(pattern, _text(value))


def _distance_column(latitude: float | None, longitude: float | None, *other: float) -> float | None:
    return None if latitude is None or longitude is None else distance_km(latitude, longitude, other[0], other[1])


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("photoindex_fold", 1, _fold_column),
    ("photoindex_compose", 1, _compose_column),
    ("photoindex_matches", 2, _matches_column),
    ("photoindex_km", 4, _distance_column),
)
