"""What the SQLite that Python was built with can do."""

from __future__ import annotations

import sqlite3
from contextlib import closing

_LEAST = (3, 35, 0)
"""The first with UPDATE … RETURNING."""
_NEEDED = {
    "full-text search (FTS5)": "CREATE VIRTUAL TABLE temp.t USING fts5(a, tokenize='unicode61 remove_diacritics 2')",
    "JSON functions": "SELECT json_extract('{\"a\":1}', '$.a') FROM json_each('[1]')",
    "window functions": "SELECT row_number() OVER (ORDER BY 1)",
}


def version() -> str:
    """Return the version of SQLite."""
    return sqlite3.sqlite_version


def missing() -> list[str]:
    """Return what a library needs and this SQLite lacks."""
    found = [] if sqlite3.sqlite_version_info >= _LEAST else [f"version {'.'.join(map(str, _LEAST))} or newer"]
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, statement in _NEEDED.items():
            try:
                connection.execute(statement)
            except sqlite3.Error:
                found.append(name)
    return found
