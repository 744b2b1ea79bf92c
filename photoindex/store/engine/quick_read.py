"""Reads a little from a database file without SQLAlchemy: a shell waits for its completions."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote


def quick_rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a SELECT on a database file; none if it cannot be read now, or has not these tables.

    The file is neither created nor upgraded nor waited for.
    """
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    # In a folder that cannot be written, SQLite cannot make the log's shared memory; an immutable file needs none.
    for name in (uri, f"{uri}&immutable=1"):
        try:
            with closing(sqlite3.connect(name, uri=True, timeout=0)) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.Error:
            continue
    return []
