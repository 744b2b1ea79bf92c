"""Table declarations that engines spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text

IDS_NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}
"""Table option: ids are never reused, even after rows are deleted."""
ROWS_BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False}
"""Table option: rows are stored in the order of the primary key, without a number of their own, which takes less space."""


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that meet a condition; a statement must repeat the condition verbatim to use it."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where))
