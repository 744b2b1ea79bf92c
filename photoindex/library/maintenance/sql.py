"""Read-only SQL queries on a library; its views are documented and stable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from photoindex.library.handle import Library
from photoindex.store.engine.base import QueryResult
from photoindex.store.engine.read_only_sql import json_lines
from photoindex.store.schema.views import VIEWS


@contextmanager
def query(library: Library, sql: str, parameters: Mapping[str, str] | None = None) -> Iterator[QueryResult]:
    """Run one read-only statement and yield its result; `parameters` are the values of `:name` in the statement.

    Raises UsageError for invalid SQL, or a statement that is not read-only.
    """
    database = library.database
    with database.engine.query_read_only(database.address, sql, parameters or {}) as result:
        yield result


def view_columns() -> Iterator[dict[str, str]]:
    """Yield every column of the documented views: view, column, meaning."""
    for view in VIEWS:
        for column, meaning in view.columns.items():
            yield {"view": view.name, "column": column, "meaning": meaning}


__all__ = ["QueryResult", "json_lines", "query", "view_columns"]
