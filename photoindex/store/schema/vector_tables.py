"""The tables of semantic search: embedding spaces, the vectors in them, and vectors of past queries."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from photoindex.store.engine.ddl import IDS_NEVER_REUSED, partial_index
from photoindex.store.schema.columns import metadata

space = Table(
    "space",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="display name; the model's id, unless it is taken"),
    Column("model", Text, nullable=False, comment="id of the model that produced it"),
    Column("variant_id", ForeignKey("variant.id"), nullable=False, unique=True),
    Column("dim", Integer, nullable=False, comment="dimensions of a vector"),
    Column("active", Boolean, nullable=False, comment="search uses it"),
    Column("calibration", JSON(none_as_null=True), comment="scores that separate hits from the irrelevant tail"),
    Column("created_at", Float, nullable=False),
    partial_index("space_active", "active", unique=True, where="active = 1"),
    **IDS_NEVER_REUSED,
)

vector = Table(
    "vector",
    metadata,
    # Ids only grow, so that the largest id in an index shows which vectors it does not have yet.
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), nullable=False),
    Column("asset_id", ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    Column(
        "frame",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="frame number in a video; 0 is the poster frame",
    ),
    Column("seconds", Float, comment="position of the frame in the video"),
    Column("data", LargeBinary, nullable=False, comment="float16, little-endian, unit length"),
    UniqueConstraint("space_id", "asset_id", "frame"),
    Index("vector_by_asset", "asset_id"),
    # Every index ends with the row id: this one finds a space's newest vectors without reading those of other spaces.
    Index("vector_by_space", "space_id"),
    **IDS_NEVER_REUSED,
)

query_vector = Table(
    "query_vector",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="float32, little-endian, unit length"),
    Column("used_at", Float, nullable=False),
    Index("query_vector_by_used_at", "used_at"),
)
