"""Reads a little from a database file without SQLAlchemy: a shell waits for its completions."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

_SECONDS_MAX = 0.4
_STEPS_BETWEEN_LOOKS = 20_000


def quick_rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a SELECT on a database file; none if it cannot be read now, or has not these tables.

    The file is neither created nor upgraded nor waited for. After 0.4 seconds it gives the rows that it has: a shell would
    rather miss a name than wait.
    """
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    # In a folder that cannot be written, SQLite cannot make the log's shared memory; an immutable file needs none.
    for name in (uri, f"{uri}&immutable=1"):
        try:
            with closing(sqlite3.connect(name, uri=True, timeout=0)) as connection:
                return _rows_in_time(connection, sql)
        except sqlite3.Error:
            continue
    return []


def _rows_in_time(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    end = time.monotonic() + _SECONDS_MAX
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
    rows: list[tuple[Any, ...]] = []
    try:
        rows.extend(connection.execute(sql))
    except sqlite3.OperationalError:
        if time.monotonic() <= end:
            raise
    return rows
