"""Pairs of pictures that were compared, and which pictures were compared with all others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "picture_hash",
        sa.Column(
            "compared",
            sa.Integer(),
            nullable=True,
            comment="version of the comparison with all other pictures that have it; null: not yet",
        ),
    )
    op.add_column(
        "picture_hash",
        sa.Column(
            "compared_space",
            sa.Integer(),
            nullable=True,
            comment="space whose near neighbours it was compared with; null: none",
        ),
    )
    op.create_index("picture_hash_by_compared", "picture_hash", ["version", "compared", "compared_space"], unique=False)
    op.create_table(
        "compared_pair",
        sa.Column("first_id", sa.Integer(), nullable=False, comment="asset; the smaller id of the two"),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the comparison"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="same: the same picture; other; linked: not compared, both show the same as a third one; "
            "one_photo: not compared, both are of one photo",
        ),
        sa.Column("found", sa.JSON(), nullable=False, comment="how they were found, aligned and measured"),
        sa.CheckConstraint("outcome IN ('same', 'other', 'linked', 'one_photo')", name="compared_pair_outcome"),
        sa.CheckConstraint("first_id < second_id", name="compared_pair_order"),
        sa.ForeignKeyConstraint(["first_id"], ["asset.id"], name=op.f("fk_compared_pair_first_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["second_id"], ["asset.id"], name=op.f("fk_compared_pair_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_compared_pair")),
        sqlite_with_rowid=False,
    )
    op.create_index("compared_pair_by_second", "compared_pair", ["second_id"], unique=False)
