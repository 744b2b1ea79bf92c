"""Facts are chosen and photos paired by other rules: the next scan resolves every photo again. The tables stay as they are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("INSERT OR IGNORE INTO photo_to_resolve (photo_id) SELECT id FROM photo")
    op.execute("UPDATE folder SET unrelated = 1")
