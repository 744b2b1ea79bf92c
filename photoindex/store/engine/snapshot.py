"""Whole databases as files: a consistent copy while others write, what a copy holds, whether it is sound.

These work on SQLite's own level and on any revision of the schema, so that a snapshot of an older library can be checked.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from photoindex.store.engine.database import Database
from photoindex.store.engine.errors import translated_errors

PagesCopied = Callable[[int, int], None]
"""Takes the number of pages copied and the number of all pages."""

_PAGES_PER_STEP = 2048
COUNTED = {"photos": "photo", "files": "file", "assets": "asset"}
"""What a manifest counts -> the table."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database file says of itself; `revision` is that of its schema."""

    library_id: str
    revision: str
    counts: dict[str, int]


def size_bytes(database: Database) -> int:
    """Return how large a copy of the database will be."""
    with closing(database.raw_connection()) as connection, translated_errors(database.path):
        pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
        page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * page_size


def library_id(database: Database) -> str:
    """Return the id of an open library. Raises DatabaseFailed."""
    with closing(database.raw_connection()) as connection, translated_errors(database.path):
        return str(connection.execute("SELECT id FROM library").fetchone()[0])


def copy(database: Database, target: Path, advance: PagesCopied) -> None:
    """Write one consistent state of the database to the new file `target`, while others read and write.

    Memory stays flat. Raises StorageFull, DatabaseFailed.
    """
    with (
        translated_errors(database.path),
        closing(database.raw_connection()) as source,
        closing(sqlite3.connect(target)) as destination,
    ):
        # A read transaction around the whole copy: without it every commit of another process starts the copy anew, and
        # beside a running scan it would never end.
        source.isolation_level = None
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            destination,
            pages=_PAGES_PER_STEP,
            progress=lambda _status, remaining, total: advance(total - remaining, total),
        )
        source.execute("ROLLBACK")


def contents_of(path: Path) -> Contents:
    """Return what a database file holds. Raises DatabaseFailed when it is none or damaged."""
    with _opened(path) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return Contents(
            library_id=str(connection.execute("SELECT id FROM library").fetchone()[0]),
            revision=str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]),
            counts={
                name: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - constants
                for name, table in COUNTED.items()
                if table in tables
            },
        )


def problems_of(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a database file: pages, indices, foreign keys; empty where all is well."""
    with _opened(path) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        found.append(f"a row of {broken[0]} points at a missing row of {broken[2]}")
    return found


def journal_lines(path: Path) -> Iterator[bytes]:
    """Yield the journal of a database file as JSON lines: every entry, each followed by its changes."""
    with _opened(path) as connection:
        connection.row_factory = sqlite3.Row
        for entry in connection.execute("SELECT * FROM journal ORDER BY id"):
            yield _json_line({"kind": "entry", **dict(entry)})
            for change in connection.execute(
                "SELECT * FROM journal_change WHERE journal_id = ? ORDER BY id", (entry["id"],)
            ):
                values = dict(change)
                for name in ("row_key", "before", "after"):
                    values[name] = None if values[name] is None else json.loads(values[name])
                yield _json_line({"kind": "change", **values})


def forget_lost_derived(path: Path, exist: Callable[[bytes], bool], advance: Callable[[int], None]) -> int:
    """Mark the assets of a database file whose derived files are gone as not derived, so that the next scan makes them.

    `exist` tells by an asset's digest whether its derived files are there; `advance` takes how many were looked at.
    Returns how many are gone.
    """
    with translated_errors(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMPORARY TABLE lost (id INTEGER PRIMARY KEY)")
        derived = connection.execute("SELECT id, digest FROM asset WHERE derived = 1")
        for looked_at, (asset_id, digest) in enumerate(derived, 1):
            if looked_at % 1000 == 0:
                advance(looked_at)
            if not exist(digest):
                connection.execute("INSERT INTO lost VALUES (?)", (asset_id,))
        lost = connection.execute("UPDATE asset SET derived = 0 WHERE id IN (SELECT id FROM lost)").rowcount
        connection.commit()
    return lost


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody else has open for reading alone: nothing is written beside it, no lock is taken."""
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro&immutable=1"
    with translated_errors(path), closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection


def _json_line(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=True).encode("ascii") + b"\n"
