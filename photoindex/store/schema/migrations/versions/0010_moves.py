"""Originals that were moved into a trash folder, so that each can be put back."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("journal_id", sa.Integer(), nullable=False),
        sa.Column("volume_id", sa.Integer(), nullable=False),
        sa.Column(
            "path", sa.LargeBinary(), nullable=False, comment="where it was, relative to the volume's mount point"
        ),
        sa.Column(
            "moved_to",
            sa.LargeBinary(),
            nullable=False,
            comment="in the trash folder, relative to the same mount point",
        ),
        sa.Column(
            "linked_to",
            sa.LargeBinary(),
            nullable=True,
            comment="the file that is linked to its old place; null: nothing is there",
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="planned: before the move; moved; returning: before undo; returned",
        ),
        sa.CheckConstraint("state IN ('planned', 'moved', 'returning', 'returned')", name="file_move_state"),
        sa.ForeignKeyConstraint(
            ["journal_id"], ["journal.id"], name=op.f("fk_file_move_journal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["volume_id"], ["volume.id"], name=op.f("fk_file_move_volume_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_move")),
        sqlite_autoincrement=True,
    )
    op.create_index("file_move_by_journal", "file_move", ["journal_id"], unique=False)
    op.create_index("file_move_by_path", "file_move", ["volume_id", "path"], unique=False)
    op.create_index(
        "file_move_unfinished",
        "file_move",
        ["journal_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('planned', 'returning')"),
    )
