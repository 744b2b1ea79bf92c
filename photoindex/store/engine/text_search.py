"""Full-text search: SQLite's FTS5 over the table `photo_text`, one row a photo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import ColumnElement, column, func, literal_column, table

from photoindex.store.engine.database import Database
from photoindex.text import without_stray_bytes

COLUMNS = ("name", "folder", "camera", "keywords", "title", "description", "place")
"""The columns of `photo_text` that are indexed; a word may be found in any of them."""
TABLE = "photo_text_fts"
TOKENIZER = "unicode61 remove_diacritics 2"

index = table(TABLE, column("rowid"))
"""The index, to be joined with photos by `photo_id`."""
photo_id: ColumnElement[Any] = index.c.rowid


def create(database: Database) -> None:
    """Make the index and the triggers that keep it up to date with `photo_text`; complete an interrupted attempt.

    To be called with no transaction open, after the tables were made and after every migration that rebuilds `photo_text`
    (which drops the triggers). Existing rows are indexed. Safe to repeat.
    """
    with closing(database.raw_connection()) as connection:
        _content(connection).enable_fts(COLUMNS, tokenize=TOKENIZER, create_triggers=True, replace=True)


def rebuild(database: Database) -> None:
    """Rebuild the whole index from `photo_text`."""
    with closing(database.raw_connection()) as connection:
        _content(connection).rebuild_fts()


def exists(database: Database) -> bool:
    """Tell whether the index is there with all its triggers."""
    with closing(database.raw_connection()) as connection:
        content = _content(connection)
        triggers = {trigger.name for trigger in content.triggers}
        return content.detect_fts() == TABLE and {f"{content.name}_{event}" for event in ("ai", "ad", "au")} <= triggers


def _content(connection: Any) -> Any:
    from sqlite_utils import Database as SqliteUtils

    return SqliteUtils(connection, execute_plugins=False)["photo_text"]


def phrase(words: str, *, prefix: bool) -> str:
    """Return the expression for words that stand one after the other; with `prefix` the last one may go on.

    It is a quoted string of FTS5's language, so nothing in it is an operator. Case and accents do not matter.
    """
    quoted = without_stray_bytes(words).replace("\0", " ").replace('"', '""')
    return f'"{quoted}"' + "*" * prefix


def all_of(parts: Sequence[str]) -> str:
    """Return the expression that holds where all parts do."""
    return "(" + " AND ".join(parts) + ")"


def any_of(parts: Sequence[str]) -> str:
    """Return the expression that holds where one of the parts does."""
    return "(" + " OR ".join(parts) + ")"


def in_columns(columns: Sequence[str], expression: str) -> str:
    """Return the expression that looks in some columns only."""
    return f"{{{' '.join(columns)}}} : {expression}"


def matches(expression: str) -> ColumnElement[bool]:
    """Return the condition on `index` that a row holds what an expression describes."""
    return literal_column(TABLE).bool_op("MATCH")(expression)


def rank(weights: Sequence[float]) -> ColumnElement[float]:
    """Return bm25 of a matching row, lower is better; weights: of COLUMNS."""
    return func.bm25(literal_column(TABLE), *weights)
