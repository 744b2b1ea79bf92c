"""Reading a database in WAL mode where nothing can be written beside it: a read-only mount, a full disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from photoindex.errors import DatabaseFailed
from photoindex.store.engine.errors import translated_errors


@contextmanager
def readable_file(path: Path) -> Iterator[Path]:
    """Give a database file that `immutable=1` reads wholly: `path`, or a copy with what is only in its log.

    SQLite opens a database in WAL mode only where it can make the log's shared memory, and `immutable=1` ignores the log.
    Raises DatabaseFailed where there is no room for the copy.
    """
    log = path.with_name(path.name + "-wal")
    if not log.exists() or os.stat(log).st_size == 0:
        yield path
        return
    with TemporaryDirectory(prefix="photoindex-") as folder:
        copy = Path(folder) / path.name
        try:
            for one in (path, log):
                shutil.copyfile(one, copy.with_name(one.name))
        except OSError as error:
            raise DatabaseFailed(
                f"{path} has changes in its log that are readable only from a copy, and {folder} cannot hold one "
                f"({error.strerror}); set TMPDIR to a folder with {os.stat(path).st_size / 1e6:,.0f} MB of free space"
            ) from error
        with translated_errors(copy), closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield copy
