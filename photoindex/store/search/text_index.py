"""The full-text index: SQLite's FTS5 over the table `photo_text`, one row a photo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import ColumnElement, column, literal_column, select, table

from photoindex.paths import to_text
from photoindex.query.values import is_indexed
from photoindex.store.engine.database import Database
from photoindex.text import without_stray_bytes
from photoindex.types import Resolved

COLUMNS = ("name", "folder", "camera", "keywords", "title", "description", "place")
"""The columns of `photo_text` that are indexed; a word may be found in any of them."""

TABLE = "photo_text_fts"
TOKENIZER = "unicode61 remove_diacritics 2"


def create(database: Database) -> None:
    """Make the index and the triggers that keep it up to date with `photo_text`; complete an interrupted attempt.

    To be called with no transaction open, after the tables were made and after every migration that rebuilds `photo_text`
    (which drops the triggers). Rows that are there already are indexed. Safe to repeat.
    """
    with closing(database.raw_connection()) as connection:
        _content(connection).enable_fts(COLUMNS, tokenize=TOKENIZER, create_triggers=True, replace=True)


def rebuild(database: Database) -> None:
    """Make the whole index anew from `photo_text`."""
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


def matching(text: str, *, prefix: bool) -> ColumnElement[bool]:
    """Return a condition on `photo.id`: one of its texts holds the words of `text` one after the other.

    With `prefix` the last word may go on. Case and accents do not matter. The text is a quoted string of FTS5's language,
    so nothing in it is an operator.
    """
    from photoindex.store.schema.tables import photo

    quoted = '"' + without_stray_bytes(text).replace("\0", " ").replace('"', '""') + '"'
    index = table(TABLE, column("rowid"))
    found = literal_column(TABLE).bool_op("MATCH")(quoted + "*" * prefix)
    return photo.c.id.in_(select(index.c.rowid).where(found))


def holding(value: str) -> ColumnElement[bool]:
    """Return the condition of `text:value`: as `matching`, with `*` at the end for a word that may go on."""
    return matching(value.removesuffix("*"), prefix=value.endswith("*"))


def refuse_unsearchable(value: str) -> None:
    """Raise ValueError for a value that holds nothing to search for, or a `*` elsewhere than at its end."""
    if "*" in value[:-1]:
        raise ValueError("'*' stands only at the end; name:IMG_*7 and path:2019/*.jpg take it anywhere")
    if not any(map(is_indexed, value)):
        raise ValueError("there is no letter or digit here to search for; marks alone are not indexed")


def document(names: Sequence[bytes], folders: Sequence[bytes], resolved: Resolved) -> dict[str, str]:
    """Return a photo's row of `photo_text`, without its `photo_id`.

    names: of all files of the photo. folders: where they lie below their roots. Bytes that are not UTF-8 become U+FFFD.
    """
    camera = " ".join(part for part in (resolved.camera_make, resolved.camera_model) if part)
    texts = {
        "name": "\n".join(map(to_text, dict.fromkeys(names))),
        "folder": "\n".join(to_text(folder).replace("/", " ") for folder in dict.fromkeys(folders)),
        "camera": camera,
        "keywords": "\n".join(resolved.keywords),
        "title": resolved.title or "",
        "description": resolved.description or "",
        "place": resolved.place or "",
    }
    return {name: without_stray_bytes(text) for name, text in texts.items()}
