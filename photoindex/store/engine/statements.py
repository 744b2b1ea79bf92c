"""SQL that engines spell differently, as constructs with one compile function per engine."""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    collate,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import CTE

from photoindex.store.engine.path_columns import PathBytes

Compiler = Any
_ROWS = 50_000


def upsert(table: Table) -> sqlite.Insert:
    """Return an INSERT that supports `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table)


def verbatim(*values: str) -> ColumnElement[Any]:
    """Return a value, or a list of several, rendered as literals and not as bound parameters.

    SQLite uses a partial index only if the statement contains the index's condition verbatim.
    """
    if len(values) == 1:
        return bindparam(None, values[0], literal_execute=True)
    return bindparam(None, values, expanding=True, literal_execute=True)


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows with a value for every column of a table, in its order; the driver gets them as they are.

    For tables of numbers and texts only: no type of SQLAlchemy sees the values. Naming and converting each of them takes
    longer than writing them.
    """
    if rows:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(table.c.keys()))
        connection.exec_driver_sql(str(statement), list(rows))


def materialized(chosen: Select[Any], name: str, *, nesting: bool = False) -> CTE:
    """Return a query as a common table expression that is evaluated once, not inlined."""
    return chosen.cte(name, nesting=nesting).prefix_with("MATERIALIZED")


def fetch_numbers(connection: Connection, statement: Select[tuple[int]], parameters: Any = None) -> array[int]:
    """Return the whole numbers that a query selects, 8 bytes each: past SQLAlchemy's rows, which take five times as long."""
    found = array("q")
    cursor = connection.execute(statement, parameters).cursor
    while rows := cursor.fetchmany(_ROWS):
        found.extend(chain.from_iterable(rows))
    cursor.close()
    return found


class EngineFunction(FunctionElement[Any]):
    """A function that each engine calls by a different name."""

    inherit_cache = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.inherit_cache = True  # SQLAlchemy reads it from each class, without inheritance


class json_value(EngineFunction):  # noqa: N801 - named like SQLAlchemy's own functions, like those below
    """The value at a path ("$.exif.taken_at") of a JSON column (column, path); NULL if there is none."""


class json_length(EngineFunction):  # noqa: N801
    """The number of elements of a JSON array."""

    type = Integer()


class position_of(EngineFunction):  # noqa: N801
    """The position, from 1, of a substring in text or bytes (text, part); 0 if it is not found."""

    type = Integer()


class regex_found(EngineFunction):  # noqa: N801
    """Whether a regular expression matches in a text (pattern, text), by `photoindex.query.values.matches`."""

    type = Boolean()


class distance_km(EngineFunction):  # noqa: N801
    """The distance between two positions (latitude, longitude, latitude, longitude), by `photoindex.geo.names`."""


_SQLITE_NAMES: dict[type[EngineFunction], str] = {
    json_value: "json_extract",
    json_length: "json_array_length",
    position_of: "instr",
    regex_found: "photoindex_matches",
    distance_km: "photoindex_km",
}


@compiles(EngineFunction, "sqlite")
def _by_name(element: EngineFunction, compiler: Compiler, **options: Any) -> str:
    return f"{_SQLITE_NAMES[type(element)]}({compiler.process(element.clauses, **options)})"


class folded(FunctionElement[str]):  # noqa: N801
    """A text or stored path as comparisons see it, by `photoindex.text.fold`."""

    inherit_cache = True
    type = Text()


@compiles(folded, "sqlite")
def _folded(element: folded, compiler: Compiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return _unless_ascii(text, f"lower({text})", f"photoindex_fold({text})")


def folds_to(text: ColumnElement[Any], wanted: str) -> ColumnElement[bool]:
    """Return the condition that a text or stored path equals a folded text; several times faster than with `folded`."""
    is_other = or_(func.length(text) != func.length(cast(text, LargeBinary)), text >= literal(b"", LargeBinary))
    # NOCASE compares no further than the first NUL, and a text's length is counted to it.
    is_same = and_(collate(text, "NOCASE") == wanted, func.length(text) == len(wanted))
    return or_(is_same, and_(is_other, folded(text) == wanted))


class composed(FunctionElement[Any]):  # noqa: N801
    """A stored path in composed form (NFC), as text or bytes like the column, by `photoindex.paths.composed`."""

    inherit_cache = True
    type = PathBytes()


@compiles(composed, "sqlite")
def _composed(element: composed, compiler: Compiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return _unless_ascii(text, text, f"photoindex_compose({text})")


def _unless_ascii(text: str, ascii_result: str, other_result: str) -> str:
    """Return the SQL that calls a function of Python only for text that needs it: a call takes longer than the rest."""
    # The length in characters ends at a NUL, so text with one is not taken for ASCII. Bytes, which may be anything, come
    # after all text in SQLite's order; typeof() would take longer.
    is_ascii = f"length({text}) = length(CAST({text} AS BLOB)) AND {text} < x''"
    return f"CASE WHEN {is_ascii} THEN {ascii_result} ELSE {other_result} END"


class glob(FunctionElement[bool]):  # noqa: N801
    """Whether a text matches a pattern in which `*` matches anything; see `query.values.glob_pattern`."""

    inherit_cache = True
    type = Boolean()


@compiles(glob, "sqlite")
def _glob(element: glob, compiler: Compiler, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({text} GLOB {pattern})"


class wall_seconds(FunctionElement[int]):  # noqa: N801
    """Seconds since 1970 of an ISO 8601 time without offset, taken as UTC."""

    inherit_cache = True
    type = Integer()


@compiles(wall_seconds, "sqlite")
def _wall_seconds(element: wall_seconds, compiler: Compiler, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


class weekday(FunctionElement[int]):  # noqa: N801
    """The day of the week of an ISO 8601 date, 1 is Monday; NULL where the text is no whole date."""

    inherit_cache = True
    type = Integer()


@compiles(weekday, "sqlite")
def _weekday(element: weekday, compiler: Compiler, **options: Any) -> str:
    day = compiler.process(element.clauses, **options)
    return f"CASE WHEN length({day}) >= 10 THEN (strftime('%w', substr({day}, 1, 10)) + 6) % 7 + 1 END"


def json_elements(column: ColumnElement[Any]) -> Any:
    """Return the elements of a JSON array as a table with the column `value`."""
    return func.json_each(column).table_valued("value")


def numbers(values: Collection[int]) -> Select[tuple[int]]:
    """Return numbers as a query with one parameter: binding one parameter per number takes longer than the lookup."""
    return select(json_elements(literal(as_parameter(values), Text)).c.value)


def given_numbers(parameter: str) -> Any:
    """Return the numbers in a parameter (a JSON array) as a table with the column `value`."""
    return json_elements(bindparam(parameter))


def is_given(column: ColumnElement[int], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a column is one of the numbers in a parameter; such a statement is compiled only once."""
    return column.in_(select(given_numbers(parameter).c.value))


def as_parameter(values: Collection[int]) -> str:
    """Return numbers as the value of such a parameter."""
    return json.dumps(list(values))
