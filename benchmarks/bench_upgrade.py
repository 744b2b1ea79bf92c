"""Upgrade of a library of 1,000,000 photos from the previous schema: the snapshot and the migration, timed apart.

The library is filled with the newest schema and then marked as one of the schema before, so this measures what every
upgrade does (views, foreign keys, text index) and the data that the last migration rewrites.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from common import options, peak_memory, report

# The tests are not an installed package; this benchmark uses their generator of libraries.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.backup.backup import back_up_before_upgrade
from photoindex.progress import ignore_events
from photoindex.store.schema import migrate
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
        folder = make_library(Path(temporary) / "library", photos)
        seconds: dict[str, float] = {}
        with open_library(Config(library=folder)) as library, peak_memory(psutil.Process()) as seen:
            mark_as_previous(library.database)
            with timed(seconds, "snapshot_seconds"):
                back_up_before_upgrade(library, folder / "backups", ignore_events)
            with timed(seconds, "migration_seconds"):
                migrate.bring_up_to_date(library.database)
            assert migrate.current_revision(library.database) == migrate.HEAD
        report(
            "upgrade",
            photos=photos,
            revision=migrate.HEAD,
            database_mb=round(os.stat(folder / "photoindex.db").st_size / 1e6),
            **seconds,
            peak_memory_mb=round(seen["peak_mb"]),
            goal_seconds=60,
        )


def mark_as_previous(database: migrate.Database) -> None:
    """Record the previous revision as the database's, with texts as it stored them: 0005 folds these."""
    before = migrate.REVISIONS[-2]
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE photo_text SET name = upper(name), camera = upper(camera), place = upper(place)"
        )
        connection.exec_driver_sql("DELETE FROM schema_history WHERE revision = ?", (migrate.HEAD,))
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (before,))


if __name__ == "__main__":
    main()
