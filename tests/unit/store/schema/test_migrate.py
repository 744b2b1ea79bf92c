"""Schema versions: creating a database, upgrading older ones, refusing newer ones."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from photoindex import __version__
from photoindex.errors import DatabaseFailed, SchemaTooNew
from photoindex.store.engine import text_search
from photoindex.store.engine.database import Database
from photoindex.store.schema import migrate, tables, views
from photoindex.store.search import text_index

ADD_COLUMN = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "HEAD"

def upgrade():
    op.add_column("photo", sa.Column("mood", sa.Text(), nullable=True))
    op.execute("UPDATE photo SET mood = 'calm'")
""".replace("HEAD", migrate.HEAD)

REBUILD_PHOTO = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "HEAD"

def upgrade():
    with op.batch_alter_table("photo") as batch:
        batch.alter_column("kind", new_column_name="kind", type_=sa.String(20), existing_nullable=False)
""".replace("HEAD", migrate.HEAD)

FAIL_HALF_WAY = ADD_COLUMN + "    raise ValueError('half way')\n"
KILL_HALF_WAY = "import os, signal\n" + ADD_COLUMN + "    os.kill(os.getpid(), signal.SIGKILL)\n"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "photoindex.db")


def history_with(folder: Path, second_revision: str) -> migrate.History:
    """Return the shipped migrations followed by a made-up revision 9999."""
    target = folder / "migrations"
    shutil.copytree(migrate.SHIPPED.folder, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    (target / "versions" / "9999_made_up.py").write_text(second_revision)
    return migrate.History(target, (*migrate.REVISIONS, "9999"))


def add_photo(database: Database, title: str = "At the sea") -> int:
    with database.write() as connection:
        photo_id = connection.execute(
            insert(tables.photo).values(
                kind="image", format="jpeg", size_bytes=1, keywords=[], sources={}, added_at=0.0, title=title
            )
        ).lastrowid
        connection.execute(
            insert(tables.photo_text).values(
                photo_id=photo_id, name="a.jpg", folder="2019", camera="", keywords="", title=title, description=""
            )
        )
    return int(photo_id)


def schema(database: Database) -> dict[str, object]:
    """Return the schema's objects in a form that ignores the order of columns and constraints."""
    with database.read() as connection:
        rows = connection.execute(text("SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        return {
            row.name: table_schema(connection, row.name, row.sql)
            if row.type == "table" and "VIRTUAL" not in row.sql
            else sorted(line.strip().rstrip(",") for line in row.sql.splitlines())
            for row in rows
        }


def table_schema(connection: Connection, name: str, sql: str) -> list[object]:
    """Return columns, keys and checks of a table, unordered: a migration adds columns at the end."""
    columns = connection.execute(
        text(f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{name}')")
    )
    keys = connection.execute(
        text(f'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(\'{name}\')')
    )
    checks = [line.strip().rstrip(",") for line in sql.splitlines() if "CHECK" in line]
    names = re.findall(r"CONSTRAINT (\w+)", sql)
    return [
        sorted(map(tuple, columns)), sorted(map(tuple, keys)), checks, sorted(names), "AUTOINCREMENT" in sql,
    ]  # fmt: skip


def test_a_new_database_is_at_the_newest_revision_and_records_the_program_version(database: Database) -> None:
    migrate.bring_up_to_date(database)
    assert migrate.current_revision(database) == migrate.HEAD
    with database.read() as connection:
        assert connection.execute(select(tables.library.c.created_by)).scalar_one() == __version__
        assert len(connection.execute(select(tables.library.c.id)).scalar_one()) == 36
        marks = connection.execute(
            select(tables.schema_history.c.revision, tables.schema_history.c.program_version)
        ).all()
    assert [tuple(mark) for mark in marks] == [(revision, __version__) for revision in migrate.REVISIONS]


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    migrate.bring_up_to_date(database)
    before = schema(database)
    migrate.bring_up_to_date(database, before_upgrade=lambda: pytest.fail("there is nothing to upgrade"))
    assert schema(database) == before
    with database.read() as connection:
        assert len(connection.execute(select(tables.library)).all()) == 1


def test_alembic_finds_no_difference_between_the_migrations_and_the_table_definitions(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    migrate.bring_up_to_date(database)
    with database.read() as connection:
        others = (
            connection.execute(
                text("SELECT name FROM sqlite_master WHERE name LIKE :index || '%'"), {"index": text_search.TABLE}
            )
            .scalars()
            .all()
        )
        known = {*others, "alembic_version"}
        options = {"include_name": lambda name, kind, _parents: not (kind == "table" and name in known)}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    assert differences == []


def test_the_migrations_create_the_same_schema_as_the_table_definitions(database: Database, tmp_path: Path) -> None:
    defined = Database(tmp_path / "defined.db")
    with defined.write() as connection:
        tables.metadata.create_all(connection)
        views.create(connection)
    text_search.create(defined)
    migrate.bring_up_to_date(database)
    migrated = schema(database)
    del migrated["alembic_version"]
    assert migrated == schema(defined)


def test_the_program_lists_exactly_the_revisions_that_alembic_finds() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrate.SHIPPED.folder))
    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == migrate.REVISIONS
    assert script.get_current_head() == migrate.HEAD


def test_an_older_library_keeps_its_rows_and_is_backed_up_before_it_changes(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)
    photo_id = add_photo(database)
    seen_by_backup: list[str | None] = []
    history = history_with(tmp_path, ADD_COLUMN)

    migrate.bring_up_to_date(
        database, before_upgrade=lambda: seen_by_backup.append(migrate.current_revision(database)), history=history
    )

    assert seen_by_backup == [migrate.HEAD]
    assert migrate.current_revision(database) == "9999"
    with database.read() as connection:
        row = connection.execute(text("SELECT id, title, mood FROM photo")).one()
        assert tuple(row) == (photo_id, "At the sea", "calm")
        assert connection.execute(text("SELECT count(*) FROM v_volume")).scalar_one() == 0


def test_an_upgrade_does_not_start_if_the_backup_fails(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)

    def fail() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        migrate.bring_up_to_date(database, before_upgrade=fail, history=history_with(tmp_path, ADD_COLUMN))
    assert migrate.current_revision(database) == migrate.HEAD


def test_rebuilding_a_table_keeps_the_rows_that_reference_it(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)
    photo_id = add_photo(database)
    migrate.bring_up_to_date(database, history=history_with(tmp_path, REBUILD_PHOTO))
    with database.read() as connection:
        assert connection.execute(select(tables.photo_text.c.photo_id)).scalar_one() == photo_id
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def found_by_word(database: Database, word: str) -> list[int]:
    with database.read() as connection:
        condition = text_index.matching(word, prefix=False)
        return list(connection.execute(select(tables.photo.c.id).where(condition)).scalars())


@pytest.mark.parametrize("known", range(1, len(migrate.REVISIONS) + 1))
def test_a_row_added_after_each_revision_is_found_by_its_words(database: Database, known: int) -> None:
    migrate.bring_up_to_date(database, history=migrate.History(migrate.SHIPPED.folder, migrate.REVISIONS[:known]))
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO photo (id, kind, format, size_bytes, keywords, sources, added_at) "
                "VALUES (1, 'image', 'jpeg', 1, '[]', '{}', 0)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO photo_text (photo_id, name, folder, camera, keywords, title, description) VALUES (1, 'a.jpg', '', '', '', 'Walrösser', '')"
            )
        )
    migrate.bring_up_to_date(database)
    assert found_by_word(database, "walrosser") == [1]


def test_rows_are_found_by_their_words_before_and_after_a_table_is_rebuilt(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)
    before = add_photo(database, "walrus one")
    migrate.bring_up_to_date(database, history=history_with(tmp_path, REBUILD_PHOTO))
    after = add_photo(database, "walrus two")
    assert found_by_word(database, "walrus") == [before, after]
    assert text_search.exists(database)


def test_a_users_own_view_survives_an_upgrade(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)
    add_photo(database)
    with database.write() as connection:
        connection.execute(text('CREATE VIEW "my ""own""" AS SELECT title FROM photo'))
    migrate.bring_up_to_date(database, history=history_with(tmp_path, REBUILD_PHOTO))
    with database.read() as connection:
        assert connection.execute(text('SELECT title FROM "my ""own"""')).scalar_one() == "At the sea"


def test_a_migration_that_fails_half_way_leaves_the_old_revision_intact(database: Database, tmp_path: Path) -> None:
    migrate.bring_up_to_date(database)
    add_photo(database)
    before = schema(database)
    with pytest.raises(ValueError, match="half way"):
        migrate.bring_up_to_date(database, history=history_with(tmp_path, FAIL_HALF_WAY))
    assert schema(database) == before
    assert migrate.current_revision(database) == migrate.HEAD


def test_after_a_kill_half_way_the_old_revision_is_intact_and_the_next_opening_upgrades(
    database: Database, tmp_path: Path
) -> None:
    migrate.bring_up_to_date(database)
    add_photo(database)
    before = schema(database)
    database.close()
    history = history_with(tmp_path, KILL_HALF_WAY)
    program = (
        "import pathlib, sys\n"
        "from photoindex.store.schema import migrate\n"
        "from photoindex.store.engine.database import Database\n"
        "history = migrate.History(pathlib.Path(sys.argv[2]), (*migrate.REVISIONS, '9999'))\n"
        "migrate.bring_up_to_date(Database(pathlib.Path(sys.argv[1])), history=history)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(database.path), str(history.folder)], timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGKILL

    assert migrate.current_revision(database) == migrate.HEAD
    assert schema(database) == before
    migrate.bring_up_to_date(database, history=history_with(tmp_path, ADD_COLUMN))
    with database.read() as connection:
        assert connection.execute(text("SELECT title, mood FROM photo")).one() == ("At the sea", "calm")


def rows_found(database: Database, word: str) -> list[int]:
    with database.read() as connection:
        found = text("SELECT rowid FROM photo_text_fts WHERE photo_text_fts MATCH :word")
        return list(connection.execute(found, {"word": word}).scalars())


def test_a_migration_that_spoils_the_text_index_is_mended_in_the_same_transaction(
    database: Database, tmp_path: Path
) -> None:
    migrate.bring_up_to_date(database)
    add_photo(database)
    spoil = (
        ADD_COLUMN
        + '    op.execute("DROP TRIGGER photo_text_au")\n    op.execute("UPDATE photo_text SET title = \'Harbour\'")\n'
    )
    migrate.bring_up_to_date(database, history=history_with(tmp_path, spoil))
    assert (rows_found(database, "harbour"), rows_found(database, "sea")) == ([1], [])


def test_later_migrations_rename_and_remove_nothing() -> None:
    """Older programs, saved SQL and snapshots rely on the names: columns and tables are added, never renamed."""
    refused = re.compile(
        r"new_column_name|rename_table|drop_column|drop_table|RENAME (TO|COLUMN)|DROP (TABLE|COLUMN)", re.IGNORECASE
    )
    versions = sorted((migrate.SHIPPED.folder / "versions").glob("*.py"))
    assert len(versions) == len(migrate.REVISIONS)
    for path in versions[1:]:
        upgrade = path.read_text(encoding="utf-8").partition("def upgrade")[2].partition("def downgrade")[0]
        assert (path.name, refused.findall(upgrade)) == (path.name, [])


def test_a_newer_database_is_refused_with_the_version_to_install(database: Database) -> None:
    migrate.bring_up_to_date(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
        connection.execute(
            insert(tables.schema_history).values(revision="0099", program_version="7.8.9", migrated_at=0.0)
        )
    with pytest.raises(SchemaTooNew, match=r"schema 0099.*install photoindex 7\.8\.9 or later") as refusal:
        migrate.bring_up_to_date(database, before_upgrade=lambda: pytest.fail("a newer database is not touched"))
    assert refusal.value.exit_code == 6


@pytest.mark.parametrize("table", ["cooking (recipe TEXT)", "alembic_version (version_num TEXT)"])
def test_a_database_of_another_program_is_refused(database: Database, table: str) -> None:
    with database.write() as connection:
        connection.execute(text(f"CREATE TABLE {table}"))
    with pytest.raises(DatabaseFailed, match="not a photoindex library"):
        migrate.bring_up_to_date(database)


def test_opening_a_database_at_the_newest_revision_does_not_import_alembic(database: Database) -> None:
    migrate.bring_up_to_date(database)
    database.close()
    program = (
        "import pathlib, sys\n"
        "from photoindex.store.schema import migrate\n"
        "from photoindex.store.engine.database import Database\n"
        "migrate.bring_up_to_date(Database(pathlib.Path(sys.argv[1])))\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(database.path)], timeout=60, check=False).returncode == 0


def test_the_migrations_may_be_in_a_folder_with_percent_signs_and_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a %d folder"
    folder.mkdir()
    database = Database(folder / "photoindex.db")
    migrate.bring_up_to_date(database, history=history_with(folder, ADD_COLUMN))
    assert migrate.current_revision(database) == "9999"
