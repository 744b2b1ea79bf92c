"""Regenerate migration 0001 from the table definitions: python -m tests.regenerate_first_migration.

Only for the time before the first release: a revision that a library may have is never changed.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op_text
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from photoindex.store.engine import text_search
from photoindex.store.engine.database import Database
from photoindex.store.schema import tables
from photoindex.store.schema.migrate import SHIPPED

TARGET = SHIPPED.folder / "versions" / "0001_first_tables.py"

HEADER = '''"""The first tables.

Revision 0001. Written by tests/regenerate_first_migration.py.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


'''


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """Render the project's own column types as plain database types: a migration must not change with the code."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, tables.PathBytes) else False


def table_functions() -> dict[str, str]:
    """Return the body of one function per table, in an order that foreign keys allow."""
    with create_engine("sqlite://").connect() as connection:
        options = {"render_item": render_item, "user_module_prefix": "sa."}
        context = MigrationContext.configure(connection, opts=options)
        script = produce_migrations(context, tables.metadata)
        autogenerate = AutogenContext(
            context,
            tables.metadata,
            opts={**context.opts, **options, "sqlalchemy_module_prefix": "sa.", "alembic_module_prefix": "op."},
        )
        bodies: dict[str, list[str]] = {}
        assert script.upgrade_ops is not None
        for operation in flattened(script.upgrade_ops):
            assert isinstance(operation, ops.CreateTableOp | ops.CreateIndexOp)
            bodies.setdefault(operation.table_name, []).append(render_op_text(autogenerate, operation))
    return {name: "\n".join(lines) for name, lines in bodies.items()}


def flattened(container: Any) -> list[Any]:
    """Return the operations of nested containers, in order."""
    found: list[Any] = []
    for operation in container.ops:
        found.extend(flattened(operation) if hasattr(operation, "ops") else [operation])
    return found


def text_index_statements() -> list[str]:
    """Return the SQL of the full-text table and its triggers, as the store's own module creates them."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "scratch.db")
        with database.write() as connection:
            tables.metadata.create_all(connection)
        before = schema(database)
        text_search.create(database)
        after = schema(database)
        database.close()
    made = {name: sql for name, sql in after.items() if name not in before}
    virtual = [name for name, sql in made.items() if sql.upper().startswith("CREATE VIRTUAL TABLE")]
    # The virtual table creates its shadow tables itself.
    shadows = {
        name
        for name in made
        for table in virtual
        if name.startswith(f"{table}_") and "CREATE TABLE" in made[name].upper()
    }
    return [sql for name, sql in made.items() if name not in shadows]


def schema(database: Any) -> dict[str, str]:
    """Return name -> SQL of everything in the database's schema, in the order of creation."""
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        return {row.name: row.sql for row in rows}


def main() -> None:
    """Write and format the migration."""
    bodies = table_functions()
    parts = [HEADER]
    for name, body in bodies.items():
        indented = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
        parts.append(f"def _create_{name}() -> None:\n{indented}\n\n\n")
    statements = text_index_statements()
    if statements:
        lines = "".join(f'    op.get_bind().exec_driver_sql("""{sql}""")\n' for sql in statements)
        parts.append(f"def _create_text_index() -> None:\n{lines}\n\n")
    calls = [f"_create_{name}()" for name in bodies] + (["_create_text_index()"] if statements else [])
    parts.append("def upgrade() -> None:\n" + "".join(f"    {call}\n" for call in calls))
    TARGET.write_text("".join(parts), encoding="utf-8")
    subprocess.run(["ruff", "format", "-q", str(TARGET)], check=True)


if __name__ == "__main__":
    main()
