"""Perceptual hashes of pictures and of windows of them, by which cropped and framed copies are found."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_hash",
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="hashes of different versions are never compared"),
        sa.Column(
            "full", sa.BigInteger(), nullable=False, comment="64-bit hash of the whole picture, as a signed integer"
        ),
        sa.Column(
            "windows",
            sa.LargeBinary(),
            nullable=False,
            comment="64-bit hashes of windows of the content, little-endian",
        ),
        sa.Column(
            "content",
            sa.LargeBinary(length=8),
            nullable=False,
            comment="left, top, right, bottom without a border, of 65535",
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_picture_hash_asset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_picture_hash")),
    )
