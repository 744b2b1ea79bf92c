"""Run a user's own SQL on a library, read-only."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from photoindex.errors import UsageError
from photoindex.store.engine.base import Address, QueryResult
from photoindex.store.engine.errors import translate
from photoindex.store.engine.sqlite_connections import connect

FUNCTIONS = frozenset(
    {
        "->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "bm25", "ceil",
        "ceiling", "char", "coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist",
        "current_date", "current_time", "current_timestamp", "date", "datetime", "degrees", "dense_rank", "exp",
        "first_value", "floor", "format", "glob", "group_concat", "hex", "highlight", "if", "ifnull", "iif",
        "instr", "json", "json_array", "json_array_length", "json_error_position", "json_extract",
        "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty",
        "json_quote", "json_remove", "json_replace", "json_set", "json_type", "json_valid", "jsonb",
        "jsonb_array", "jsonb_extract", "jsonb_group_array", "jsonb_group_object", "jsonb_insert",
        "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set", "julianday", "lag",
        "last_value", "lead", "length", "like", "likelihood", "likely", "ln", "log", "log10", "log2", "lower",
        "ltrim", "match", "max", "median", "min", "mod", "nth_value", "ntile", "nullif", "octet_length",
        "percent_rank", "percentile", "percentile_cont", "percentile_disc", "pi", "pow", "power", "printf",
        "quote", "radians", "random", "rank", "regexp", "replace", "round", "row_number", "rtrim", "sign",
        "sin", "sinh", "snippet", "soundex", "sqlite_source_id", "sqlite_version", "sqrt", "strftime",
        "string_agg", "substr", "substring", "subtype", "sum", "tan", "tanh", "time", "timediff", "total",
        "trim", "trunc", "typeof", "unhex", "unicode", "unistr", "unistr_quote", "unixepoch", "unlikely",
        "upper", "zeroblob",
    }
)  # fmt: skip
"""SQLite's functions that compute something of their arguments; others load code, take pointers or write to logs."""

PRAGMAS = frozenset(
    {
        "collation_list", "compile_options", "database_list", "data_version", "encoding", "foreign_key_check",
        "foreign_key_list", "freelist_count", "function_list", "index_info", "index_list", "index_xinfo",
        "integrity_check", "page_count", "page_size", "pragma_list", "quick_check", "schema_version", "table_info",
        "table_list", "table_xinfo", "user_version",
    }
)  # fmt: skip
"""Pragmas that only report, with or without an argument; the connection itself is also read-only."""
_SCHEMA_TABLES = frozenset(
    {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "sqlite_sequence"}
)
_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree", *(f"pragma_{name}" for name in PRAGMAS)})
"""Virtual tables that exist without being created."""
_ALWAYS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
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


@contextmanager
def query(address: Address, sql: str, parameters: Mapping[str, str]) -> Iterator[QueryResult]:
    """Run one read-only statement on the database; the result is valid until the block ends.

    Text that is not UTF-8 is decoded with surrogateescape (PEP 383). Raises UsageError for SQL that is invalid or not
    read-only, LibraryLocked, DatabaseFailed.
    """
    guard = _Guard(frozenset(), frozenset())
    with _translated(address.path, guard), closing(connect(address, read_only=True)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA query_only = ON")
        guard.tables = _names_in(connection, "sqlite_master")
        guard.modules = _names_in(connection, "pragma_module_list")
        connection.set_authorizer(guard)
        connection.set_progress_handler(lambda: 0, _INSTRUCTIONS_PER_CHECK)
        cursor = connection.execute(_checked(sql), {name: _bound(value) for name, value in parameters.items()})
        if cursor.description is None:
            raise UsageError("SQL: no statement that returns rows; write a SELECT")
        yield QueryResult([column[0] for column in cursor.description], iter(cursor))


def _checked(sql: str) -> str:
    try:
        sql.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("SQL: the statement is not UTF-8; give other bytes as a parameter: -p NAME VALUE") from None
    return sql


def _bound(value: str) -> str | bytes:
    """Return a parameter as it is stored: paths that are not UTF-8 are bytes."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(value)
    return value


@dataclass(slots=True)
class _Guard:
    """SQLite authorizer that allows reading by lists of what is known, and records the first action that it denied.

    tables, modules: names in lower case of the database's tables, views and indices, and of SQLite's virtual tables.
    """

    tables: frozenset[str]
    modules: frozenset[str]
    refused: str | None = field(default=None)

    def __call__(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        refused = self._refusal(action, first, second)
        if refused is None:
            return sqlite3.SQLITE_OK
        self.refused = self.refused or refused
        return sqlite3.SQLITE_DENY

    def _refusal(self, action: int, first: str | None, second: str | None) -> str | None:
        """Return the name of what is not allowed, None for what is."""
        if action in _ALWAYS:
            return None
        if action == sqlite3.SQLITE_FUNCTION:
            return None if str(second).lower() in FUNCTIONS else f"{second}()"
        if action == sqlite3.SQLITE_READ:
            # A query of a common table expression that reads none of its columns has an empty column.
            unread = not second and str(first).lower() not in self.modules
            return None if not first or unread or self._is_known(str(first)) else f"the table {first}"
        if action == sqlite3.SQLITE_PRAGMA:
            return None if self._may_be_asked(str(first).lower(), second) else f"PRAGMA {first}"
        if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            # SQLite says this while it declares a virtual table (full text, a pragma's table) to itself.
            return None
        return _WORDS.get(action, "this statement")

    def _is_known(self, table: str) -> bool:
        name = table.lower()
        return name in self.tables or name in _SCHEMA_TABLES or name in _TABLE_FUNCTIONS

    def _may_be_asked(self, pragma: str, value: str | None) -> bool:
        if pragma not in PRAGMAS or value is None:
            return pragma in PRAGMAS
        # A pragma about a table of a name that the database has not would make SQLite open a virtual table of that name.
        return pragma not in _PRAGMAS_WITHOUT_VALUE and (value.isdigit() or self._is_known(value))


def _names_in(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(str(row[0]).lower() for row in connection.execute(f"SELECT name FROM {table}"))  # noqa: S608


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


def json_lines(result: QueryResult, *, newline: bool) -> Iterator[str]:
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
