"""The protocol of a database engine: what the store needs beyond the SQL that SQLAlchemy generates for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Select, Table


class StepsExceeded(Exception):
    """A statement exceeded its limit of steps."""


class Engine(Protocol):
    """One implementation per database engine; `engine_of` returns the one for a connection.

    The SQL itself is in `statements`, `predicates`, `ddl` and `text_search`.
    """

    def functions(self, connection: Connection) -> AbstractContextManager[None]:
        """Make `folded`, `regex_found` and `distance_km` available inside the block.

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

    def largest_number_ever(self, connection: Connection, table: Table) -> int:
        """Return the largest id ever used in a table declared with IDS_NEVER_REUSED, 0 if there was none."""
        ...

    def index_temporary(self, connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
        """Create an index on a temporary table."""
        ...

    def fetch_plain(self, connection: Connection, statement: Select[Any], *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as the driver returns them, bypassing SQLAlchemy's execution and row objects."""
        ...
