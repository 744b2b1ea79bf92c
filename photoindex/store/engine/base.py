"""What a database engine does for the store beyond statements that SQLAlchemy writes for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Select, Table


class StepsExceeded(Exception):
    """A statement took more steps than it was allowed."""


class Engine(Protocol):
    """One implementation an engine; `engine_of` returns that of a connection.

    What statements look like is in `statements`, `predicates`, `ddl` and `text_search` beside this.
    """

    def functions(self, connection: Connection) -> AbstractContextManager[None]:
        """Make `folded`, `regex_found` and `distance_km` work inside the block.

        What is raised inside one of them, Ctrl-C in a slow regular expression above all, leaves the block as itself.
        """
        ...

    def limited(self, connection: Connection, steps: int | None) -> AbstractContextManager[None]:
        """Raise StepsExceeded where the statements of the block take more steps of the engine's; None for no bound."""
        ...

    def check_links_at_commit(self, connection: Connection) -> None:
        """Let rows of this transaction point at missing ones until it is committed."""
        ...

    def has_broken_link(self, connection: Connection) -> bool:
        """Tell whether any row points at a missing one; reads whole tables."""
        ...

    def largest_number_ever(self, connection: Connection, table: Table) -> int:
        """Return the largest number that a row ever had in a table whose numbers only grow, 0 where there was none."""
        ...

    def index_temporary(self, connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
        """Make an index of a temporary table."""
        ...

    def fetch_plain(self, connection: Connection, statement: Select[Any], *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as the driver gives them, past SQLAlchemy's execution and row objects."""
        ...
