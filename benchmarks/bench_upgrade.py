"""Upgrade of a library of 1,000,000 photos from the previous schema: the snapshot and the migration, timed apart.

The library is filled at the newest schema, and its rows are copied into a database at the previous one: each column that both
have. So this measures what every upgrade does (views, foreign keys, text index) and what the last migration makes and rewrites.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from common import options, peak_memory, report
from sqlalchemy import func, select

# The tests are not an installed package; this benchmark uses their generator of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.config.schema import Config
from photoindex.library.backup.backup import back_up_before_upgrade
from photoindex.library.handle import DATABASE_NAME, Library
from photoindex.pipeline.run.model_process import ModelProcess
from photoindex.progress import ignore_events
from photoindex.store.engine.database import Database
from photoindex.store.schema import migrate
from photoindex.store.schema.tables import photo
from tests.synthetic import make_library


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - started, 2)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000)
    given = parser.parse_args()
    photos = 2_000 if given.quick else given.photos
    with tempfile.TemporaryDirectory(prefix="bench-upgrade-", dir=given.work) as temporary:
        library = previous_library(Path(temporary), photos)
        seconds: dict[str, float] = {}

        def snapshot() -> None:
            with timed(seconds, "snapshot_seconds"):
                back_up_before_upgrade(library, library.folder / "backups", ignore_events)

        with peak_memory(psutil.Process()) as seen, timed(seconds, "seconds"):
            migrate.bring_up_to_date(library.database, before_upgrade=snapshot)
        with library.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(photo)).scalar_one() >= photos
        report(
            "upgrade",
            photos=photos,
            revision=migrate.HEAD,
            database_mb=round(library.database.path.stat().st_size / 1e6),
            snapshot_seconds=seconds["snapshot_seconds"],
            migration_seconds=round(seconds["seconds"] - seconds["snapshot_seconds"], 2),
            peak_memory_mb=round(seen["peak_mb"]),
            goal_seconds=60,
        )


def previous_library(folder: Path, photos: int) -> Library:
    """Return a library at the previous schema, not yet opened by a command."""
    filled = make_library(folder / "filled", photos) / DATABASE_NAME
    home = folder / "library"
    home.mkdir()
    database = Database(home / DATABASE_NAME)
    migrate.bring_up_to_date(database, history=migrate.History(migrate.SHIPPED.folder, migrate.REVISIONS[:-1]))
    copy_rows(filled, database.path)
    filled.unlink()
    return Library(
        folder=home,
        config=Config(library=home),
        database=database,
        model_executor=lambda settings, hang: ModelProcess(settings, hang_seconds=hang),
    )


def copy_rows(source: Path, target: Path) -> None:
    """Copy every row of `source` into the tables of `target` of the same names; what has a revision of its own stays."""
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("ATTACH ? AS source", (str(source),))
        connection.execute("BEGIN")
        for table in names(connection, "main") & names(connection, "source") - {"alembic_version", "schema_history"}:
            both = ", ".join(
                f'"{name}"' for name in columns(connection, "main", table) & columns(connection, "source", table)
            )
            connection.execute(f'INSERT OR REPLACE INTO main."{table}" ({both}) SELECT {both} FROM source."{table}"')
        connection.execute("COMMIT")


def names(connection: sqlite3.Connection, schema: str) -> set[str]:
    """Return the tables of one attached database, without the full-text index, which a trigger fills, and SQLite's own."""
    found = connection.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in found if not name.startswith(("photo_text_fts", "sqlite_"))}


def columns(connection: sqlite3.Connection, schema: str, table: str) -> set[str]:
    found = connection.execute("SELECT name FROM pragma_table_info(?, ?)", (table, schema)).fetchall()
    return {name for (name,) in found}


if __name__ == "__main__":
    main()
