"""The protocol of a database engine: what the store needs beyond the SQL that SQLAlchemy generates for every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy
from sqlalchemy import Connection, Select, Table


class StepsExceeded(Exception):
    """A statement exceeded its limit of steps."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and how to open it.

    cache_mb, mmap_mb: page cache and memory map per connection, in MiB. busy_seconds: how long to wait for another writer.
    unwritable: the file to read when nothing can be written beside `path`: `path` itself, or a copy.
    """

    path: Path
    cache_mb: int = 64
    mmap_mb: int = 256
    busy_seconds: float = 30.0
    unwritable: Path | None = None


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The column names of one query, and its rows, read on demand."""

    headers: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


class Engine(Protocol):
    """One implementation per database engine; `engine_of` returns the one for a connection.

    The SQL itself is in `statements`, `predicates`, `ddl` and `text_search`.
    """

    def open(self, address: Address) -> sqlalchemy.Engine:
        """Return SQLAlchemy's engine for a database; write transactions hold the write lock from their first statement."""
        ...

    def open_for_upgrade(self, address: Address) -> sqlalchemy.Engine:
        """Return SQLAlchemy's engine for a connection that rebuilds tables without checking foreign keys."""
        ...

    def driver_connection(self, address: Address) -> Any:
        """Return a new connection of the driver itself."""
        ...

    def errors(self, path: Path) -> AbstractContextManager[None]:
        """Convert the driver's errors inside the block to errors with a remedy for users."""
        ...

    def busy_timeout(
        self, connection: Connection, seconds: float | None, *, usual: float
    ) -> AbstractContextManager[None]:
        """Wait `seconds` for another writer inside the block instead of `usual`; None changes nothing."""
        ...

    def size_bytes(self, address: Address) -> int:
        """Return how large a copy of the database will be."""
        ...

    def copy(self, address: Address, target: Path, advance: Callable[[int, int], None]) -> None:
        """Write one consistent state of the database to the new file `target`, while others read and write.

        advance: called with the done and the total amount. Raises StorageFull, DatabaseFailed.
        """
        ...

    def query_read_only(
        self, address: Address, sql: str, parameters: Mapping[str, str]
    ) -> AbstractContextManager[QueryResult]:
        """Run one statement written by a user that may only read; the result is valid until the block ends.

        Raises UsageError for invalid SQL or SQL that does more than read, LibraryLocked, DatabaseFailed.
        """
        ...

    def functions(self, connection: Connection) -> AbstractContextManager[None]:
        """Make `folded`, `composed`, `regex_found` and `distance_km` available inside the block.

        Exceptions raised inside these functions propagate unchanged, notably Ctrl-C in a slow regular expression.
        """
        ...

    def limited(self, connection: Connection, steps: int | None) -> AbstractContextManager[None]:
        """Raise StepsExceeded if the statements in the block take more than `steps` engine steps; None: no limit."""
        ...

    def check_links_at_commit(self, connection: Connection) -> None:
        """Check foreign keys only when this transaction commits."""
        ...

    def has_broken_link(self, connection: Connection) -> bool:
        """Return whether any row violates a foreign key; reads whole tables."""
        ...

    def quick_check(self, connection: Connection, limit: int) -> list[str]:
        """Return up to `limit` problems of the file's pages and rows, empty if there are none; reads the whole database."""
        ...

    def broken_links(self, connection: Connection) -> dict[tuple[str, str], int]:
        """Return how many rows of a table point at missing rows of another: (table, other) -> rows; reads whole tables."""
        ...

    def largest_number_ever(self, connection: Connection, table: Table) -> int:
        """Return the largest id ever used in a table declared with IDS_NEVER_REUSED, 0 if there was none."""
        ...

    def index_temporary(self, connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
        """Create an index on a temporary table."""
        ...

    def fetch_plain(self, connection: Connection, statement: Select[Any], *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as the driver returns them, bypassing SQLAlchemy's execution and row objects."""
        ...
