"""Reads a little from a database file without SQLAlchemy: a shell waits for its completions."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote


def quick_rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a SELECT on a database file, which is neither created, upgraded nor waited for.

    Raises sqlite3.Error if it cannot be read now.
    """
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    try:
        return _rows(uri, sql)
    except sqlite3.OperationalError:
        # In a folder that cannot be written, SQLite cannot make the log's shared memory; without it, it needs no lock.
        return _rows(f"{uri}&immutable=1", sql)


def _rows(uri: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
        return connection.execute(sql).fetchall()
