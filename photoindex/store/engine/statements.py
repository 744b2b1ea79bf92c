"""SQL that engines spell differently, as constructs with one compile function an engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Select, Table, Text, bindparam, func, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import CTE

Compiler = Any


def upsert(table: Table) -> sqlite.Insert:
    """Return an INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table)


def verbatim(*values: str) -> ColumnElement[Any]:
    """Return a value, or the list of several, that stands in the statement itself and not in its parameters.

    SQLite uses a partial index only where the statement has the index's own condition word for word.
    """
    if len(values) == 1:
        return bindparam(None, values[0], literal_execute=True)
    return bindparam(None, values, expanding=True, literal_execute=True)


def materialized(chosen: Select[Any], name: str, *, nesting: bool = False) -> CTE:
    """Return a query as a common table expression that is worked out once, not inlined where it is used."""
    return chosen.cte(name, nesting=nesting).prefix_with("MATERIALIZED")


class EngineFunction(FunctionElement[Any]):
    """A function that each engine has under a name of its own."""

    inherit_cache = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.inherit_cache = True  # SQLAlchemy asks each class itself


class json_value(EngineFunction):  # noqa: N801 - written like SQLAlchemy's own functions, as all that follow
    """The value at a path ("$.exif.taken_at") of a JSON column (column, path); NULL where there is none."""


class json_length(EngineFunction):  # noqa: N801
    """The number of elements of a JSON array."""

    type = Integer()


class position_of(EngineFunction):  # noqa: N801
    """The position, from 1, of a part in a text or in bytes (text, part); 0 where it is not in it."""

    type = Integer()


class folded(EngineFunction):  # noqa: N801
    """A text without case and accents, by `photoindex.text.fold`."""

    type = Text()


class regex_found(EngineFunction):  # noqa: N801
    """Whether a regular expression is found in a text (pattern, text), by `photoindex.query.values.matches`."""

    type = Boolean()


class distance_km(EngineFunction):  # noqa: N801
    """The distance between two positions (latitude, longitude, latitude, longitude), by `photoindex.geo.names`."""


_SQLITE_NAMES: dict[type[EngineFunction], str] = {
    json_value: "json_extract",
    json_length: "json_array_length",
    position_of: "instr",
    folded: "photoindex_fold",
    regex_found: "photoindex_matches",
    distance_km: "photoindex_km",
}


@compiles(EngineFunction, "sqlite")
def _by_name(element: EngineFunction, compiler: Compiler, **options: Any) -> str:
    return f"{_SQLITE_NAMES[type(element)]}({compiler.process(element.clauses, **options)})"


class glob(FunctionElement[bool]):  # noqa: N801
    """Whether a text is like a pattern in which `*` stands for anything; see `query.values.glob_pattern`."""

    inherit_cache = True
    type = Boolean()


@compiles(glob, "sqlite")
def _glob(element: glob, compiler: Compiler, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({text} GLOB {pattern})"


class wall_seconds(FunctionElement[int]):  # noqa: N801
    """The seconds since 1970 of an ISO 8601 text without offset, as if it were UTC."""

    inherit_cache = True
    type = Integer()


@compiles(wall_seconds, "sqlite")
def _wall_seconds(element: wall_seconds, compiler: Compiler, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


def json_elements(column: ColumnElement[Any]) -> Any:
    """Return the elements of a JSON array as a table with the column `value`."""
    return func.json_each(column).table_valued("value")


def numbers(values: Sequence[int]) -> Select[tuple[int]]:
    """Return a list of numbers as a query: one parameter, where one for each number takes longer than the look-up."""
    return select(json_elements(literal(json.dumps(list(values)), Text)).c.value)


def given_numbers(parameter: str) -> Any:
    """Return the numbers of a parameter (a JSON array) as a table with the column `value`."""
    return json_elements(bindparam(parameter))
