"""What tables are declared with that engines spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text

NUMBERS_ONLY_GROW: dict[str, Any] = {"sqlite_autoincrement": True}
"""Of a table: its numbers are never given twice, also after rows were removed."""


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that meet a condition; statements need the condition word for word to use it."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where))
