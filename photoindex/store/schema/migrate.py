"""The database's schema version: creating the tables, upgrading an older database, refusing a newer one.

Every revision is applied in one transaction together with its version records: Alembic's `alembic_version`, and a row
in `schema_history` with the program version, from which an older program can say what to install. Any change to a table,
the full-text index or a documented view needs its own revision; opening a database compares nothing but the revision.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from photoindex import __version__
from photoindex.errors import DatabaseFailed, SchemaTooNew
from photoindex.store.engine import text_search
from photoindex.store.engine.database import Database
from photoindex.store.schema import views

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS: tuple[str, ...] = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
)
"""Every revision, oldest first; listed here so that Alembic is imported only when there is something to upgrade."""

HEAD = REVISIONS[-1]


@dataclass(frozen=True, slots=True)
class History:
    """The revisions that this program supports, oldest first, and the folder where Alembic finds them."""

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]

    def after(self, revision: str | None) -> str | None:
        """Return the revision after `revision` (None: an empty database), None after the newest."""
        following = 0 if revision is None else self.revisions.index(revision) + 1
        return self.revisions[following] if following < len(self.revisions) else None


SHIPPED = History(Path(__file__).with_name("migrations"), REVISIONS)


def current_revision(database: Database) -> str | None:
    """Return the database's revision, None if it is empty. Raises DatabaseFailed if it is not a photoindex database."""
    with database.read() as connection:
        return _revision(connection, database.path)


def check_supported(database: Database, *, history: History = SHIPPED) -> str | None:
    """Return `current_revision`; raise SchemaTooNew if this program does not support it."""
    revision = current_revision(database)
    if revision is not None and revision not in history.revisions:
        raise SchemaTooNew(_too_new_message(database, revision, history))
    return revision


def bring_up_to_date(
    database: Database, *, before_upgrade: Callable[[], None] | None = None, history: History = SHIPPED
) -> None:
    """Create the tables of an empty database or upgrade an older one; do nothing at the newest revision.

    `before_upgrade` is called before an existing library is changed, for a backup; an exception from it stops the
    upgrade. A kill at any point leaves the database at a complete revision. Raises SchemaTooNew, DatabaseFailed.
    """
    revision = check_supported(database, history=history)
    if revision == history.head:
        return
    if revision is not None and before_upgrade is not None:
        before_upgrade()
    engine = database.engine.open_for_upgrade(database.address)
    try:
        with database.engine.errors(database.path), engine.connect() as connection:
            while _apply_next(connection, database.path, history):
                pass
    finally:
        engine.dispose()


def library_id(database: Database) -> str:
    """Return the id of an open library."""
    with database.read() as connection:
        return str(connection.execute(text("SELECT id FROM library")).scalar_one())


def _revision(connection: Connection, path: Path) -> str | None:
    names = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if not names:
        return None
    if not {"alembic_version", "schema_history"} <= names:
        raise DatabaseFailed(f"{path} is not a photoindex library; choose another folder with --library FOLDER")
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _too_new_message(database: Database, revision: str, history: History) -> str:
    with database.read() as connection:
        writer = connection.execute(
            text("SELECT program_version FROM schema_history WHERE revision = :revision"), {"revision": revision}
        ).scalar_one_or_none()
    remedy = (
        f"install photoindex {writer} or later: pip install --upgrade 'photoindex>={writer}'"
        if writer is not None
        else "install the newest photoindex: pip install --upgrade photoindex"
    )
    return (
        f"{database.path} was written by a newer photoindex (schema {revision}; "
        f"photoindex {__version__} knows schemas up to {history.head}); {remedy}"
    )


def _apply_next(connection: Connection, path: Path, history: History) -> bool:
    """Apply the next revision in one transaction (to an empty database, all of them); return whether there was one."""
    from alembic import command

    with connection.begin():
        # Read again under the write lock: another process may have upgraded first.
        revision = _revision(connection, path)
        target = history.after(revision)
        if target is None:
            return False
        is_first = revision is None
        if is_first:
            target = history.head  # a new library must never be visible at an old revision
        dropped_views = _drop_views(connection)
        command.upgrade(_alembic_config(connection, history), target)
        _check_foreign_keys(connection, target)
        if not text_search.make_consistent(connection):
            raise DatabaseFailed(
                f"the text index of {path} cannot be made again in schema {target}; nothing was changed"
            )
        for applied in history.revisions if is_first else (target,):
            _record(connection, applied, is_first=applied == history.revisions[0])
        if target == history.head:
            views.create(connection)
        _restore_views(connection, dropped_views)
        return True


def _alembic_config(connection: Connection, history: History) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(history.folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _record(connection: Connection, revision: str, *, is_first: bool) -> None:
    # Deliberately plain SQL: these two tables are the same in every revision, so that older programs can read them.
    now = time.time()
    connection.execute(
        text("INSERT INTO schema_history (revision, program_version, migrated_at) VALUES (:revision, :version, :now)"),
        {"revision": revision, "version": __version__, "now": now},
    )
    if is_first:
        connection.execute(
            text("INSERT INTO library (id, created_at, created_by) VALUES (:id, :now, :version)"),
            {"id": str(uuid.uuid4()), "now": now, "version": __version__},
        )


def _drop_views(connection: Connection) -> dict[str, str]:
    """Drop every view, including the user's own: SQLite cannot rename a table that a view uses. Return name -> SQL."""
    found = {
        row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    }
    for name in found:
        connection.exec_driver_sql(f"DROP VIEW {_quoted(name)}")
    return found


def _restore_views(connection: Connection, dropped: dict[str, str]) -> None:
    existing = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'view'")).scalars())
    for name, sql in dropped.items():
        if name not in existing:
            connection.exec_driver_sql(sql)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_foreign_keys(connection: Connection, revision: str) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise DatabaseFailed(
            f"upgrading to schema {revision} would leave rows of {broken[0]} that refer to missing rows of "
            f"{broken[2]}; nothing was changed"
        )
