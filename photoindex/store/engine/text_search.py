"""Full-text search: SQLite's FTS5 over the table `photo_text`, one row per photo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import ColumnElement, Connection, column, func, literal_column, table
from sqlalchemy.exc import DatabaseError

from photoindex.store.engine.database import Database
from photoindex.text import fold

COLUMNS = (
    "name", "folder", "camera", "keywords", "title", "description", "place", "people", "tags", "labels", "caption", "ocr",
)  # fmt: skip
"""The indexed columns of `photo_text`."""
TABLE = "photo_text_fts"
TOKENIZER = "unicode61 remove_diacritics 2"

index = table(TABLE, column("rowid"))
"""The index; join it with photos by `photo_id`."""
photo_id: ColumnElement[Any] = index.c.rowid


def create(database: Database) -> None:
    """Create the index and the triggers that keep it in sync with `photo_text`; complete an interrupted attempt.

    Call it outside any transaction, after creating the tables and after every migration that rebuilds `photo_text`
    (which drops the triggers). Existing rows are indexed. Safe to repeat.
    """
    with closing(database.raw_connection()) as connection:
        _content(connection).enable_fts(COLUMNS, tokenize=TOKENIZER, create_triggers=True, replace=True)


def rebuild(database: Database) -> None:
    """Rebuild the whole index from `photo_text`."""
    with closing(database.raw_connection()) as connection:
        _content(connection).rebuild_fts()


def exists(database: Database) -> bool:
    """Return whether the index and all its triggers exist."""
    with closing(database.raw_connection()) as connection:
        content = _content(connection)
        triggers = {trigger.name for trigger in content.triggers}
        return content.detect_fts() == TABLE and {f"{content.name}_{event}" for event in ("ai", "ad", "au")} <= triggers


def make_consistent(connection: Connection) -> bool:
    """Check the index against `photo_text`, rebuild it if they differ, and return whether they agree then; reads both wholly."""
    if is_consistent(connection):
        return True
    connection.exec_driver_sql(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild')")  # noqa: S608 - a constant
    return is_consistent(connection)


def is_consistent(connection: Connection) -> bool:
    """Tell whether the index agrees with `photo_text`; reads both wholly, in a write transaction, and changes nothing."""
    try:
        # With the rank 1 the index is compared with the rows, too (https://www.sqlite.org/fts5.html, section 6.4).
        connection.exec_driver_sql(f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('integrity-check', 1)")  # noqa: S608 - a constant
    except DatabaseError:
        return False
    return True


def _content(connection: Any) -> Any:
    from sqlite_utils import Database as SqliteUtils

    return SqliteUtils(connection, execute_plugins=False)["photo_text"]


def phrase(words: str, *, prefix: bool) -> str:
    """Return the expression for consecutive words; with `prefix` the last one matches as a prefix.

    It is a quoted FTS5 string, so nothing in it is an operator. It is folded like the rows: the tokenizer knows neither
    letters that do not decompose nor decomposed text of other scripts than Latin.
    """
    quoted = fold(words).replace("\0", " ").replace('"', '""')
    return f'"{quoted}"' + "*" * prefix


def all_of(parts: Sequence[str]) -> str:
    """Return the expression that matches if all parts match."""
    return "(" + " AND ".join(parts) + ")"


def any_of(parts: Sequence[str]) -> str:
    """Return the expression that matches if any part matches."""
    return "(" + " OR ".join(parts) + ")"


def in_columns(columns: Sequence[str], expression: str) -> str:
    """Return the expression restricted to some columns."""
    return f"{{{' '.join(columns)}}} : {expression}"


def matches(expression: str) -> ColumnElement[bool]:
    """Return the condition on `index` that a row matches an expression."""
    return literal_column(TABLE).bool_op("MATCH")(expression)


def rank(weights: Sequence[float]) -> ColumnElement[float]:
    """Return bm25 of a matching row, lower is better; weights: one for each of COLUMNS."""
    return func.bm25(literal_column(TABLE), *weights)
