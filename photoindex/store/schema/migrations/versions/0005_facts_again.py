"""Texts are folded by other rules; facts are chosen and photos paired by other rules, which the next scan does.

The tables stay as they are.
"""

import json

import sqlalchemy as sa
from alembic import op

from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import folded
from photoindex.text import fold

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FOLDED = {
    "photo_text": ("name", "folder", "camera", "keywords", "title", "description", "place"),
    "place": ("words", "alternates"),
    "event": ("words",),
}
"""Table -> columns with folded texts, as of this revision."""


def upgrade() -> None:
    connection = op.get_bind()
    _fold_texts(connection)
    _fold_journal(connection)
    op.execute("INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT id FROM photo")
    op.execute("UPDATE folder SET unrelated = 1")


def _fold_texts(connection: sa.Connection) -> None:
    """Fold again what is stored folded.

    Nearly every row changes, most only in case, which the full-text index does not see: without its trigger this takes
    half the time. The index is compared with the rows after every migration, and made again where they differ.
    """
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name = 'photo_text_au'"
    triggers = connection.execute(sa.text(found)).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    with engine_of(connection).functions(connection):
        for name, columns in _FOLDED.items():
            table = sa.table(name, *(sa.column(column, sa.Text()) for column in columns))
            changed = sa.or_(*(column != folded(column) for column in table.c))
            connection.execute(
                sa.update(table).where(changed).values({column.name: folded(column) for column in table.c})
            )
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


def _fold_journal(connection: sa.Connection) -> None:
    """Fold what the journal keeps of folded texts: undoing compares it with the rows, and puts it back."""
    chosen = sa.text("SELECT id, table_name, before, after FROM journal_change WHERE table_name IN :names")
    update = sa.text("UPDATE journal_change SET before = :before, after = :after WHERE id = :id")
    rows = connection.execute(chosen.bindparams(sa.bindparam("names", list(_FOLDED), expanding=True))).all()
    for number, table, before, after in rows:
        new = {"before": _folded_row(before, _FOLDED[table]), "after": _folded_row(after, _FOLDED[table])}
        if new != {"before": before, "after": after}:
            connection.execute(update, {**new, "id": number})


def _folded_row(stored: str | None, columns: tuple[str, ...]) -> str | None:
    row = json.loads(stored) if stored else None
    if not isinstance(row, dict):
        return stored
    new = {name: fold(text) if name in columns and isinstance(text, str) else text for name, text in row.items()}
    return stored if new == row else json.dumps(new, ensure_ascii=False)
