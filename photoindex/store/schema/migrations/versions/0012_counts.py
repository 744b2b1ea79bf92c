"""Indexes that count tasks by variant and state, and contents that were replaced, without reading their rows."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("task_by_variant", "task", ["variant_id", "state"], unique=False)
    op.create_index("asset_superseded", "asset", ["id"], unique=False, sqlite_where=sa.text("role = 'superseded'"))
