"""Run a user's own SQL on a library, read-only."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from photoindex.errors import UsageError
from photoindex.store.engine.errors import translate

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_REFUSED_FUNCTIONS = frozenset({"load_extension"})

PRAGMAS = frozenset(
    {
        "collation_list", "compile_options", "database_list", "data_version", "encoding", "foreign_key_check",
        "foreign_key_list", "freelist_count", "function_list", "index_info", "index_list", "index_xinfo",
        "integrity_check", "page_count", "page_size", "pragma_list", "quick_check", "schema_version", "table_info",
        "table_list", "table_xinfo", "user_version",
    }
)  # fmt: skip
"""Pragmas that only report, with or without an argument; the connection itself is also read-only."""
_PRAGMAS_WITHOUT_VALUE = frozenset({"encoding", "page_size", "schema_version", "user_version"})

_WORDS = {
    sqlite3.SQLITE_ATTACH: "ATTACH and VACUUM INTO",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_TRANSACTION: "a transaction",
    sqlite3.SQLITE_SAVEPOINT: "a transaction",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
}

_INSTRUCTIONS_PER_CHECK = 100_000
"""How many SQLite virtual machine instructions a query runs between checks for Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Result:
    """The column names and the rows of one query; rows are fetched lazily."""

    headers: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def reading(path: Path, sql: str, parameters: Mapping[str, str], *, busy_seconds: float) -> Iterator[Result]:
    """Run one read-only statement on the database at `path`; the result is valid until the block ends.

    Text that is not UTF-8 is decoded with surrogateescape (PEP 383). Raises UsageError for SQL that is invalid or not
    read-only, LibraryLocked, DatabaseFailed.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    guard = _Guard()
    with _translated(path, guard), closing(sqlite3.connect(uri, uri=True, timeout=busy_seconds)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(guard)
        connection.set_progress_handler(lambda: 0, _INSTRUCTIONS_PER_CHECK)
        cursor = connection.execute(sql, dict(parameters))
        if cursor.description is None:
            raise UsageError("SQL: no statement that returns rows; write a SELECT")
        yield Result([column[0] for column in cursor.description], iter(cursor))


@dataclass(slots=True)
class _Guard:
    """SQLite authorizer that allows only reading and records the first action that it denied."""

    refused: str | None = field(default=None)

    def __call__(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        if action in _READING:
            refused = f"{second}()" if action == sqlite3.SQLITE_FUNCTION and second in _REFUSED_FUNCTIONS else None
        elif action == sqlite3.SQLITE_PRAGMA:
            refused = None if _is_allowed_pragma(str(first).lower(), second) else f"PRAGMA {first}"
        elif action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            # SQLite reports this while it declares a virtual table internally (full-text search, pragma functions).
            refused = None
        else:
            refused = _WORDS.get(action, "this statement")
        if refused is None:
            return sqlite3.SQLITE_OK
        self.refused = self.refused or refused
        return sqlite3.SQLITE_DENY


def _is_allowed_pragma(pragma: str, value: str | None) -> bool:
    return pragma in PRAGMAS and not (value is not None and pragma in _PRAGMAS_WITHOUT_VALUE)


@contextmanager
def _translated(path: Path, guard: _Guard) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise UsageError(f"SQL: {error}") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error
        if guard.refused is not None:
            raise UsageError(f"SQL: {guard.refused} is not allowed: this command only reads") from error
        if getattr(error, "sqlite_errorname", "") in ("SQLITE_READONLY", "SQLITE_AUTH"):
            raise UsageError(f"SQL: {error}: this command only reads") from error
        translated = translate(error, path)
        if translated is error:
            raise UsageError(f"SQL: {error}") from error
        raise translated from error


def json_lines(result: Result, *, newline: bool) -> Iterator[str]:
    """Yield lines of JSON as sqlite-utils formats them: an array of objects, or one object per line with `newline`.

    Bytes are {"$base64": true, "encoded": "..."}; infinity, which JSON cannot represent, is null.
    """
    from sqlite_utils.cli import output_rows

    rows = _finite(result.rows)
    first = next(rows, None)
    if first is None:
        # For no rows sqlite-utils prints an empty array even with one object per line.
        yield from () if newline else ("[]",)
    else:
        yield from output_rows(chain([first], rows), result.headers, newline, False, False)  # type: ignore[no-untyped-call]  # noqa: FBT003


def _finite(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple(None if isinstance(value, float) and not math.isfinite(value) else value for value in row)
