"""The database's schema version: making it, upgrading it, refusing a newer one."""

from __future__ import annotations

from sqlalchemy import text

from photoindex.errors import SchemaTooNew
from photoindex.store.database import Database

HEAD = "0001"
"""The newest revision; known here so that Alembic is imported only when there is something to upgrade."""


def current_revision(database: Database) -> str | None:
    """Return the revision of the database, None for one without tables."""
    with database.read() as connection:
        known = connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")).first()
        if known is None:
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def bring_up_to_date(database: Database) -> None:
    """Make the tables of a new database or upgrade an older one. Raises SchemaTooNew for a newer one."""
    revision = current_revision(database)
    if revision == HEAD:
        return
    if revision is not None and revision > HEAD:
        raise SchemaTooNew(f"{database.path} was written by a newer photoindex (schema {revision}, this one knows {HEAD})")
    from photoindex.store.tables import metadata

    with database.write() as connection:
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
