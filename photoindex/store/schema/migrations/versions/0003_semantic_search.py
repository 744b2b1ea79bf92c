"""Semantic search: embedding spaces, vectors, vectors of past queries."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _create_space() -> None:
    op.create_table(
        "space",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what a person calls it; the model's, unless it is taken"),
        sa.Column("model", sa.Text(), nullable=False, comment="id of the model that made it"),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False, comment="numbers a vector"),
        sa.Column("active", sa.Boolean(), nullable=False, comment="search uses it"),
        sa.Column("calibration", sa.JSON(), nullable=True, comment="what separates hits from the irrelevant tail"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_space_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space")),
        sa.UniqueConstraint("name", name=op.f("uq_space_name")),
        sa.UniqueConstraint("variant_id", name=op.f("uq_space_variant_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("space_active", "space", ["active"], unique=True, sqlite_where=sa.text("active = 1"))


def _create_vector() -> None:
    op.create_table(
        "vector",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column(
            "frame",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of a video; 0 is the poster frame",
        ),
        sa.Column("seconds", sa.Float(), nullable=True, comment="where in the video the frame is"),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="float16, little-endian, of unit length"),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_vector_asset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_vector_space_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vector")),
        sa.UniqueConstraint("space_id", "asset_id", "frame", name=op.f("uq_vector_space_id_asset_id_frame")),
        sqlite_autoincrement=True,
    )
    op.create_index("vector_by_asset", "vector", ["asset_id"])
    op.create_index("vector_by_space", "vector", ["space_id"])


def _create_query_vector() -> None:
    op.create_table(
        "query_vector",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="float32, little-endian, of unit length"),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_query_vector_space_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space_id", "text", name=op.f("pk_query_vector")),
    )
    op.create_index("query_vector_by_used_at", "query_vector", ["used_at"])


def upgrade() -> None:
    _create_space()
    _create_vector()
    _create_query_vector()
    op.create_index(
        "asset_by_perceptual_hash",
        "asset",
        ["perceptual_hash"],
        sqlite_where=sa.text("perceptual_hash IS NOT NULL"),
    )
