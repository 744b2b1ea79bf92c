"""Database files: make a consistent copy while others write, read a copy's contents, check its integrity.

These functions use plain SQLite and work with any schema revision, so that snapshots of older libraries can be checked.
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

from photoindex.errors import DatabaseFailed
from photoindex.store.engine.base import Address
from photoindex.store.engine.errors import is_damaged, translated_errors
from photoindex.store.engine.sqlite_connections import connect

PagesCopied = Callable[[int, int], None]
"""Receives the number of pages copied and the total."""

_PAGES_PER_STEP = 2048
COUNTED = {"photos": "photo", "files": "file", "assets": "asset"}
"""Name in the manifest -> table to count."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Summary of a database file; `revision` is its schema revision."""

    library_id: str
    revision: str
    counts: dict[str, int]


def size_bytes(address: Address) -> int:
    """Return the size of a copy of the database."""
    with closing(connect(address)) as connection, translated_errors(address.path):
        pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
        page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * page_size


def copy(address: Address, target: Path, advance: PagesCopied) -> None:
    """Write one consistent state of the database to the new file `target`, while others read and write.

    Memory stays flat. Raises StorageFull, DatabaseFailed.
    """
    with (
        translated_errors(address.path),
        closing(connect(address)) as source,
        closing(sqlite3.connect(target)) as destination,
    ):
        # A read transaction around the whole copy: without it, every commit by another process restarts the copy,
        # which would never finish during a scan.
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
    """Return a summary of a database file. Raises DatabaseFailed if it is not a database or is damaged."""
    with _open_immutable(path) as connection:
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
    """Return the problems that SQLite finds in a database file: pages, indices, foreign keys; empty if none."""
    try:
        with _open_immutable(path) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    except DatabaseFailed as error:
        if not is_damaged(error):
            raise
        return [str(error.__cause__)]  # too damaged even to be checked
    if broken is not None:
        found.append(f"a row of {broken[0]} points at a missing row of {broken[2]}")
    return found


def journal_lines(path: Path) -> Iterator[bytes]:
    """Yield the journal of a database file as JSON lines: each entry, followed by its changes."""
    with _open_immutable(path) as connection:
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
    """Mark assets whose derived files are gone as not derived, so that the next scan rebuilds them; return how many.

    exist: returns whether the derived files of an asset exist, by digest. advance: receives how many were checked.
    """
    with translated_errors(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMPORARY TABLE lost (id INTEGER PRIMARY KEY)")
        derived = connection.execute("SELECT id, digest FROM asset WHERE derived = 1")
        for checked, (asset_id, digest) in enumerate(derived, 1):
            if checked % 1000 == 0:
                advance(checked)
            if not exist(digest):
                connection.execute("INSERT INTO lost VALUES (?)", (asset_id,))
        lost = connection.execute("UPDATE asset SET derived = 0 WHERE id IN (SELECT id FROM lost)").rowcount
        connection.commit()
    return lost


@contextmanager
def _open_immutable(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody else has open, read-only: no lock is taken and no file is created next to it."""
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro&immutable=1"
    with translated_errors(path), closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection


def _json_line(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=True).encode("ascii") + b"\n"
