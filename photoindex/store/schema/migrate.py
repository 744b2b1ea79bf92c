"""The database's schema version: making the tables, upgrading an older database, refusing a newer one.

Every revision is applied in one transaction together with its marks: Alembic's `alembic_version`, and a row of
`schema_history` with the program's version, by which an older program can say what to install. A change of a table, of
the full-text index or of a documented view needs a revision of its own; nothing else is compared on opening.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from photoindex import __version__
from photoindex.errors import DatabaseFailed, SchemaTooNew
from photoindex.store.engine.database import Database
from photoindex.store.engine.errors import translated_errors
from photoindex.store.schema import views

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004")
"""Every revision, oldest first; known here so that Alembic is imported only when there is something to upgrade."""

HEAD = REVISIONS[-1]


@dataclass(frozen=True, slots=True)
class History:
    """The revisions that a program knows, oldest first, and the folder where Alembic finds them."""

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]

    def after(self, revision: str | None) -> str | None:
        """Return the revision that follows `revision` (None: an empty database), None after the newest."""
        following = 0 if revision is None else self.revisions.index(revision) + 1
        return self.revisions[following] if following < len(self.revisions) else None


SHIPPED = History(Path(__file__).with_name("migrations"), REVISIONS)


def current_revision(database: Database) -> str | None:
    """Return the revision of the database, None for an empty one. Raises DatabaseFailed for a database of another kind."""
    with database.read() as connection:
        return _revision(connection, database.path)


def check_supported(database: Database, *, history: History = SHIPPED) -> str | None:
    """Return the revision like `current_revision`; raise SchemaTooNew where this program does not know it."""
    revision = current_revision(database)
    if revision is not None and revision not in history.revisions:
        raise SchemaTooNew(_refusal(database, revision, history))
    return revision


def bring_up_to_date(
    database: Database, *, before_upgrade: Callable[[], None] | None = None, history: History = SHIPPED
) -> None:
    """Make the tables of an empty database or upgrade an older one; nothing happens to one at the newest revision.

    `before_upgrade` is called before an existing library is changed; its place is for a backup, and what it raises
    stops the upgrade. A kill at any point leaves the database at one whole revision. Raises SchemaTooNew, DatabaseFailed.
    """
    revision = check_supported(database, history=history)
    if revision == history.head:
        return
    if revision is not None and before_upgrade is not None:
        before_upgrade()
    engine = _upgrading_engine(database)
    try:
        with translated_errors(database.path), engine.connect() as connection:
            while _apply_next(connection, database.path, history):
                pass
    finally:
        engine.dispose()


def _revision(connection: Connection, path: Path) -> str | None:
    names = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if not names:
        return None
    if not {"alembic_version", "schema_history"} <= names:
        raise DatabaseFailed(f"{path} is not a photoindex library; choose another folder with --library FOLDER")
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _refusal(database: Database, revision: str, history: History) -> str:
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


def _upgrading_engine(database: Database) -> Engine:
    engine = create_engine("sqlite://", creator=database.raw_connection, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        # Rebuilding a table drops the old one, and with foreign keys on that would delete the rows that point at it.
        # The pragma has no effect inside a transaction, hence a connection of its own.
        connection.execute("PRAGMA foreign_keys = OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _apply_next(connection: Connection, path: Path, history: History) -> bool:
    """Apply the next revision in one transaction, all of them to an empty database; return whether there was one."""
    from alembic import command

    with connection.begin():
        # Read again under the write lock: another process may have been faster.
        revision = _revision(connection, path)
        following = history.after(revision)
        if following is None:
            return False
        is_first = revision is None
        if is_first:
            following = history.head  # nobody is to see a new library at an old revision
        kept_views = _take_views_away(connection)
        command.upgrade(_alembic_config(connection, history), following)
        _check_foreign_keys(connection, following)
        for made in history.revisions if is_first else (following,):
            _record(connection, made, is_first=made == history.revisions[0])
        if following == history.head:
            views.create(connection)
        _put_views_back(connection, kept_views)
        return True


def _alembic_config(connection: Connection, history: History) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(history.folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _record(connection: Connection, revision: str, *, is_first: bool) -> None:
    # Plain SQL on purpose: these two tables keep this form in every revision, so that older programs can read them.
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


def _take_views_away(connection: Connection) -> dict[str, str]:
    """Drop every view, the user's own too, because SQLite renames no table that a view mentions; return name -> SQL."""
    found = {
        row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    }
    for name in found:
        connection.exec_driver_sql(f"DROP VIEW {_quoted(name)}")
    return found


def _put_views_back(connection: Connection, kept: dict[str, str]) -> None:
    existing = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'view'")).scalars())
    for name, sql in kept.items():
        if name not in existing:
            connection.exec_driver_sql(sql)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_foreign_keys(connection: Connection, revision: str) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise DatabaseFailed(
            f"upgrading to schema {revision} would leave rows of {broken[0]} that point at missing rows of {broken[2]}; "
            "nothing was changed"
        )
